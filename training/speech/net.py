"""Speech → mouth motion: a small stack of convolutions, 100 log-mel frames/s in, 25 mouths/s out."""
import torch
from torch import nn
from torch.nn import functional as F

from features import BANDS, LOWEST

ARTICULATION = 5   # open, spread, round, bilabial closure, labiodental


class Residual(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.spread = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x):
        return x + self.mix(F.gelu(self.norm(self.spread(x))))


class SpeechNet(nn.Module):
    """mel (N, T, 40) normalised → shape (N, T/4, outputs) in units of the target's spread `scale`, articulation logits (N, T/4, 5).

    The input is lifted so that the zeros which pad the ends mean silence. Articulation is predicted half-way and fed to
    the mouth head: what synthetic speech teaches about phones reaches the shape.
    """

    def __init__(self, outputs, width=64, dilations=(1, 2, 4, 1, 2, 4)):
        super().__init__()
        self.stem = nn.ModuleList([nn.Conv1d(BANDS, width, 5, padding=2), nn.Conv1d(width, width, 5, 2, 2), nn.Conv1d(width, width, 5, 2, 2)])
        self.blocks = nn.ModuleList([Residual(width, d) for d in dilations])
        self.articulation = nn.Conv1d(width, ARTICULATION, 1)
        self.join = nn.Conv1d(width + ARTICULATION, width, 3, padding=1)
        self.shape = nn.Conv1d(width, outputs, 1)
        self.register_buffer('scale', torch.ones(outputs))

    def forward(self, mel):
        x = (mel - LOWEST).transpose(1, 2)
        for conv in self.stem:
            x = F.gelu(conv(x))
        for block in self.blocks:
            x = block(x)
        articulation = self.articulation(x)
        joined = x + F.gelu(self.join(torch.cat([x, torch.sigmoid(articulation)], 1)))
        if self.training:
            joined = F.dropout(joined, 0.1)
        return self.shape(joined).transpose(1, 2), articulation.transpose(1, 2)

    def predict(self, mel):
        """One clip's normalised log-mel → (shape in units of the speaker's p95 opening, articulation 0..1), numpy."""
        with torch.no_grad():
            shape, articulation = self(torch.as_tensor(mel)[None])
        return (shape[0] * self.scale).numpy(), torch.sigmoid(articulation[0]).numpy()
