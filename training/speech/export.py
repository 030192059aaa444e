"""Writes nets as one ONNX graph: batch norms folded, weights stored as float16 behind a Cast, several nets averaged."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from features import BANDS, LOWEST

OPSET = 17
# A net that minimises its error draws cautious, shallow dips; a mouth that means to close does so. Below its own mean over
# about a quarter second the opening is taken DEEPER times further down. Chosen on the validation clips.
DEEPER, DEEPER_SIGMA, DEEPER_REACH = 0.7, 3.0, 9     # sigma and reach in mouths (40 ms)


class Graph:
    """Collects nodes and initialisers; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.weights, self.shared = [], [], {}

    def node(self, kind, *inputs, output=None, **attributes):
        output = output or f'{kind.lower()}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def half(self, array):
        """A weight kept as float16, computed with as float32."""
        name = f'weight_{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.asarray(array, np.float16), name))
        return self.node('Cast', name, to=TensorProto.FLOAT)

    def constant(self, value):
        if value not in self.shared:
            name = f'constant_{len(self.weights)}'
            self.weights.append(numpy_helper.from_array(np.float32(value), name))
            self.shared[value] = name
        return self.shared[value]

    def conv(self, x, conv, weight=None, bias=None):
        weight = conv.weight.detach().numpy() if weight is None else weight
        bias = conv.bias.detach().numpy() if bias is None else bias
        pad = conv.padding[0]
        return self.node('Conv', x, self.half(weight), self.half(bias), kernel_shape=[weight.shape[2]],
                         strides=[conv.stride[0]], dilations=[conv.dilation[0]], pads=[pad, pad])

    def gelu(self, x):
        error = self.node('Erf', self.node('Mul', x, self.constant(2 ** -0.5)))
        return self.node('Mul', self.node('Mul', x, self.constant(0.5)), self.node('Add', error, self.constant(1.0)))

    def residual(self, x, block):
        gain = (block.norm.weight / (block.norm.running_var + block.norm.eps).sqrt()).detach().numpy()
        bias = (block.norm.bias - block.norm.running_mean * (block.norm.weight / (block.norm.running_var + block.norm.eps).sqrt())).detach().numpy()
        spread = self.conv(x, block.spread, block.spread.weight.detach().numpy() * gain[:, None, None], bias)
        return self.node('Add', x, self.conv(self.gelu(spread), block.mix))

    def speech_net(self, mel, net):
        """→ (shape (1, K + 2, n) in final units, articulation probabilities (1, 5, n))."""
        x = mel
        for conv in net.stem:
            x = self.gelu(self.conv(x, conv))
        for block in net.blocks:
            x = self.residual(x, block)
        articulation = self.node('Sigmoid', self.conv(x, net.articulation))
        joined = self.gelu(self.conv(self.node('Concat', x, articulation, axis=1), net.join))
        x = self.node('Add', x, joined)
        scale = net.scale.numpy()
        shape = self.conv(x, net.shape, net.shape.weight.detach().numpy() * scale[:, None, None], net.shape.bias.detach().numpy() * scale)
        return shape, articulation

    def mean(self, names):
        total = names[0]
        for name in names[1:]:
            total = self.node('Add', total, name)
        return total if len(names) == 1 else self.node('Mul', total, self.constant(1 / len(names)))


    def deepen(self, shape, count):
        """Opening −= DEEPER · relu(its mean around − opening); outside the clip the mouth is shut."""
        opening = count - 2
        pick = np.zeros((1, count, 1))
        pick[0, opening] = 1
        bell = np.exp(-0.5 * (np.arange(-DEEPER_REACH, DEEPER_REACH + 1) / DEEPER_SIGMA) ** 2)
        alone = self.node('Conv', shape, self.half(pick), kernel_shape=[1])
        around = self.node('Conv', alone, self.half((bell / bell.sum())[None, None]), kernel_shape=[2 * DEEPER_REACH + 1], pads=[DEEPER_REACH] * 2)
        dip = self.node('Relu', self.node('Sub', around, alone))
        return self.node('Add', shape, self.node('Conv', dip, self.half(-DEEPER * pick.transpose(1, 0, 2)), kernel_shape=[1]))


def export(nets, path, description):
    """Averages `nets` in one graph: `mel` (1, 4n, 40) → `shape` (1, n, K + 2), `articulation` (1, n, 5)."""
    graph = Graph()
    lifted = graph.node('Add', 'mel', graph.constant(-LOWEST))
    mel = graph.node('Transpose', lifted, perm=[0, 2, 1])
    outputs = [graph.speech_net(mel, net) for net in nets]
    count = len(nets[0].scale)
    shape, articulation = (graph.mean(column) for column in zip(*outputs))
    graph.node('Transpose', graph.deepen(shape, count), perm=[0, 2, 1], output='shape')
    graph.node('Transpose', articulation, perm=[0, 2, 1], output='articulation')
    info = lambda name, *dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, list(dims))
    model = helper.make_model(
        helper.make_graph(graph.nodes, 'speech', [info('mel', 1, 'frames', BANDS)],
                          [info('shape', 1, 'mouths', count), info('articulation', 1, 'mouths', 5)], graph.weights),
        opset_imports=[helper.make_opsetid('', OPSET)], producer_name='viseme', doc_string=description)
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
