"""Start a net from the weights of an exported ONNX file."""

import onnx
import torch
from onnx import numpy_helper
from torch import nn


def stored_weights(path):
    """Name and values of every weight of an exported net, in single precision."""
    tensors = onnx.load(path).graph.initializer
    return {t.name.removesuffix(".f16"): torch.from_numpy(numpy_helper.to_array(t).astype("float32")) for t in tensors}


def normed(net):
    """Name of each convolution that a batch norm follows, and that batch norm."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Sequential):
            layers = list(module)
            for k, (layer, after) in enumerate(zip(layers, layers[1:])):
                if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                    yield f"{name}.{k}", after


def start_from(net, path, images):
    """Fill `net` with the weights of `path`, whose batch norms were folded into the convolutions before them.

    The norms get the statistics of `images` (a training batch), and gains that undo them: `net` computes what the file
    does, and goes on doing so when training normalises by batches.
    """
    stored = stored_weights(path)
    norms = dict(normed(net))
    with torch.no_grad():
        for name, norm in norms.items():
            norm.reset_parameters()
            norm.running_var.fill_(1 - norm.eps)
            norm.bias.copy_(stored.pop(f"{name}.bias"))
        own = dict(net.named_parameters())
        for name, values in stored.items():
            own[name].copy_(values)
        net.eval()
        seen = {}
        hooks = [norm.register_forward_hook(lambda module, inputs, _, name=name: seen.update({name: torch.var_mean(inputs[0], (0, 2, 3))})) for name, norm in norms.items()]
        net(images)
        for hook in hooks:
            hook.remove()
        for name, norm in norms.items():
            variance, mean = seen[name]
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.add_(mean)
    return net.train()
