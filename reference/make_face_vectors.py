"""Reference numbers for the public face models.

    python reference/make_face_vectors.py models              tiny nets with random weights, and what they answer
    python reference/make_face_vectors.py portraits SHARED    what real detectors find on the shared portraits

`models` writes crates/ml/viseme-face/tests/models/: nets that keep the inputs and outputs of the real ones (names, ranks,
sizes), so that loading, preparation and reading of the answers are tested without the real weights, which are not
free. `portraits` writes tests/vectors/portraits.json: boxes and five points by file name, no pictures.

The preparation and the reading follow the public code of each model: InsightFace scrfd.py, landmark.py, arcface_onnx.py;
OpenCV face_detect.cpp and face_recognize.cpp; facefusion face_landmarker.py;
face-parsing.PyTorch test.py; face_alignment sfd_detector.py.

Needs numpy, onnx, onnxruntime, opencv-python-headless.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FACE = Path(__file__).resolve().parent.parent / "crates/ml/viseme-face/tests"
MODELS = FACE / "models"
TEMPLATE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
IMAGENET = (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))


def picture(width, height):
    """The RGB picture that the tests make of the same formula."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    channels = [(x * x // 97 + y * y // 61 + x * y // 173 + 85 * c) % 256 for c in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


class Graph:
    """A small ONNX graph with seeded random weights."""

    def __init__(self, seed, opset=11):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.count, self.opset = [], [], 0, opset

    def node(self, op, inputs, output=None, **attributes):
        self.count += 1
        output = output or f"t{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def weight(self, shape, scale):
        self.count += 1
        name = f"w{self.count}"
        self.weights.append(numpy_helper.from_array((self.rng.standard_normal(shape) * scale).astype(np.float32), name))
        return name

    def bias(self, values):
        self.count += 1
        name = f"b{self.count}"
        self.weights.append(numpy_helper.from_array(np.array(values, np.float32), name))
        return name

    def constant(self, values):
        self.count += 1
        name = f"c{self.count}"
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def conv(self, x, channels_in, channels_out, size=1, scale=1.0, output=None):
        weight = self.weight((channels_out, channels_in, size, size), scale / (channels_in * size * size) ** 0.5)
        return self.node("Conv", [x, weight], output, kernel_shape=[size, size], strides=[size, size])

    def pool(self, x, size):
        return self.node("AveragePool", [x], kernel_shape=[size, size], strides=[size, size])

    def save(self, name, inputs, outputs):
        def value(item):
            return helper.make_tensor_value_info(item[0], TensorProto.FLOAT, item[1])

        graph = helper.make_graph(self.nodes, name, list(map(value, inputs)), list(map(value, outputs)), self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        onnx.checker.check_model(model)
        MODELS.mkdir(parents=True, exist_ok=True)
        path = MODELS / f"{name}.onnx"
        onnx.save(model, path)
        assert path.stat().st_size < 50_000, (name, path.stat().st_size)


def make_embedder(name, seed, source, target, dimensions, batch):
    g = Graph(seed)
    pooled = g.node("Sigmoid", [g.pool(g.conv(source, 3, 4, 7, 0.02), 8)])
    flat = g.node("Flatten", [pooled])
    g.node("Gemm", [flat, g.weight((16, dimensions), 1.0)], target)
    g.save(name, [(source, [batch, 3, 112, 112])], [(target, [batch, dimensions])])


def make_landmarks(name, seed, values):
    g = Graph(seed)
    pooled = g.node("Tanh", [g.pool(g.conv("data", 3, 3, 8, 0.01), 24)])
    g.node("Gemm", [g.node("Flatten", [pooled]), g.weight((3, values), 0.5)], "fc1")
    g.save(name, [("data", ["None", 3, 192, 192])], [("fc1", [1, values])])


def make_fan():
    g = Graph(23, opset=13)
    maps = g.node("Sigmoid", [g.conv("input", 3, 68, 4, 2.0)], "heatmaps")
    pooled = g.node("Reshape", [g.pool(maps, 64), g.constant([1, 68, 1])])
    wide = g.node("MatMul", [pooled, g.weight((1, 3), 40.0)])
    g.node("Abs", [wide], "landmarks")
    g.save("2dfan4", [("input", [1, 3, 256, 256])], [("landmarks", [1, 68, 3]), ("heatmaps", [1, 68, 64, 64])])


def make_bisenet():
    g = Graph(24, opset=13)
    g.conv("input", 3, 19, 1, 1.0, "output")
    g.save("bisenet", [("input", ["batch", 3, 512, 512])], [("output", ["batch", 19, 512, 512])])


def make_det_10g():
    """Outputs of rank 2 named as in buffalo_l; any height and width."""
    g = Graph(25)
    names = [("448", "451", "454"), ("471", "474", "477"), ("494", "497", "500")]
    for stride, (score, box, points) in zip((8, 16, 32), names):
        pooled = g.pool("input.1", stride)
        for output, width in ((score, 1), (box, 4), (points, 10)):
            raw = g.conv(pooled, 3, 2 * width, 1, 2.0)
            rows = g.node("Transpose", [raw], perm=[0, 2, 3, 1])
            shape = g.constant([-1, width])
            if output == score:
                rare = g.node("Add", [g.node("Reshape", [rows, shape]), g.bias([-2.0])])
                g.node("Sigmoid", [rare], output)
            elif output == box:
                g.node("Abs", [g.node("Reshape", [rows, shape])], output)
            else:
                g.node("Reshape", [rows, shape], output)
    outputs = [(names[level][kind], ["n", width]) for kind, width in enumerate((1, 4, 10)) for level in range(3)]
    g.save("det_10g", [("input.1", [1, 3, "h", "w"])], outputs)


def make_s3fd():
    g = Graph(26)
    outputs = []
    for level in range(6):
        pooled = g.pool("input", 4 << level)
        scaled = g.node("Mul", [pooled, g.weight((1, 1, 1, 1), 0.03)])
        for kind, channels in (("cls", 2), ("reg", 4)):
            name = f"{kind}{level}"
            if kind == "cls":
                rare = g.bias(np.array([6.0, 0.0]).reshape(1, 2, 1, 1))
                g.node("Add", [g.conv(scaled, 3, channels, 1, 2.0), rare], name)
            else:
                g.conv(scaled, 3, channels, 1, 2.0, name)
            outputs.append((name, ["n", channels, "h", "w"]))
    g.save("s3fd", [("input", ["n", 3, "h", "w"])], outputs)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(net, blob):
    return net.run(None, {net.get_inputs()[0].name: blob})


def blob(rgb, mean, deviation):
    values = (rgb.astype(np.float32) - np.float32(mean)) / np.float32(deviation)
    return values.transpose(2, 0, 1)[None].astype(np.float32)


def nms(boxes, threshold):
    """Boxes [n, 5] by falling score; edges belong to the box."""
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    kept = []
    for i, box in enumerate(boxes):
        overlaps = [0.0]
        for j in kept:
            width = max(0.0, min(box[2], boxes[j, 2]) - max(box[0], boxes[j, 0]) + 1)
            height = max(0.0, min(box[3], boxes[j, 3]) - max(box[1], boxes[j, 1]) + 1)
            overlaps.append(width * height / (areas[i] + areas[j] - width * height))
        if max(overlaps) <= threshold:
            kept.append(i)
    return kept


def scrfd(net, rgb, side=640):
    fixed = net.get_inputs()[0].shape[2]
    side = fixed if isinstance(fixed, int) else side
    height, width = rgb.shape[:2]
    ratio = height / width
    new_width, new_height = (int(side / ratio), side) if ratio > 1 else (side, int(side * ratio))
    scale = new_height / height
    canvas = np.zeros((side, side, 3), np.uint8)
    canvas[:new_height, :new_width] = cv2.resize(rgb, (new_width, new_height))
    outputs = run(net, blob(canvas, 127.5, 128.0))
    boxes, points = [], []
    for level, stride in enumerate((8, 16, 32)):
        score, box, five = (outputs[level + 3 * kind].reshape(-1, n) for kind, n in enumerate((1, 4, 10)))
        cells = side // stride
        anchors = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2).repeat(2, 0) * stride
        anchors = anchors.astype(np.float32)
        found = score[:, 0] >= 0.5
        box, five = box * stride, five.reshape(-1, 5, 2) * stride
        corners = np.concatenate([anchors - box[:, :2], anchors + box[:, 2:]], 1)
        boxes.append(np.concatenate([corners / scale, score], 1)[found])
        points.append(((anchors[:, None] + five) / scale)[found])
    boxes, points = np.concatenate(boxes), np.concatenate(points)
    order = np.argsort(-boxes[:, 4], kind="stable")
    boxes, points = boxes[order], points[order]
    kept = nms(boxes, 0.4)
    return boxes[kept], points[kept]


def yunet(net, rgb, side=640):
    """face_detect.cpp on the picture scaled to 640 pixels on its longer side."""
    height, width = rgb.shape[:2]
    ratio = height / width
    new_width, new_height = (int(side / ratio), side) if ratio > 1 else (side, int(side * ratio))
    scale = new_height / height
    padded_width, padded_height = -(-new_width // 32) * 32, -(-new_height // 32) * 32
    canvas = np.zeros((padded_height, padded_width, 3), np.uint8)
    canvas[:new_height, :new_width] = cv2.resize(rgb, (new_width, new_height))
    names = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)]
    outputs = dict(zip(names, net.run(names, {"input": blob(canvas[:, :, ::-1], 0.0, 1.0)})))
    found = []
    for stride in (8, 16, 32):
        face, thing, box, five = (outputs[f"{kind}_{stride}"][0] for kind in ("cls", "obj", "bbox", "kps"))
        score = np.sqrt(face.clip(0, 1) * thing.clip(0, 1))[:, 0]
        columns = padded_width // stride
        for cell in np.where(score >= 0.6)[0]:
            place = np.array([cell % columns, cell // columns])
            center, size = (place + box[cell, :2]) * stride, np.exp(box[cell, 2:]) * stride
            points = (five[cell].reshape(5, 2) + place) * stride
            found.append([*(center - size / 2), *size, score[cell], *points.ravel()])
    found.sort(key=lambda f: -f[4])
    whole = [[int(v) for v in f[:4]] for f in found]
    kept = []
    for i, (x, y, w, h) in enumerate(whole):
        overlaps = [0.0]
        for j in kept:
            px, py, pw, ph = whole[j]
            common = max(0, min(x + w, px + pw) - max(x, px)) * max(0, min(y + h, py + ph) - max(y, py))
            overlaps.append(common / (w * h + pw * ph - common))
        if max(overlaps) <= 0.3:
            kept.append(i)
    rows = [[f[0], f[1], f[0] + f[2], f[1] + f[3], f[4], *f[5:]] for f in (found[i] for i in kept)]
    return [[v if k == 4 else v / scale for k, v in enumerate(row)] for row in rows]


def s3fd(net, rgb):
    outputs = run(net, blob(rgb, [104, 117, 123], 1.0))
    found = []
    for level in range(6):
        stride, (classes, places) = 4 << level, outputs[2 * level : 2 * level + 2]
        e = np.exp(classes - classes.max(1, keepdims=True))
        score = (e / e.sum(1, keepdims=True))[0, 1]
        for row, column in zip(*np.where(score > 0.05)):
            place, side = places[0, :, row, column], 4.0 * stride
            center = stride / 2 + np.array([column, row]) * stride + place[:2] * 0.1 * side
            size = side * np.exp(place[2:] * 0.2)
            low = center - size / 2
            found.append([*low, *(low + size), score[row, column]])
    boxes = np.array(found, np.float32).reshape(-1, 5)
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    boxes = boxes[nms(boxes, 0.3)]
    return boxes[boxes[:, 4] > 0.5]


def insightface_points(net, rgb, box, dimensions, count):
    """landmark.py, get: x1, y1, x2, y2 in; points out."""
    x1, y1, x2, y2 = box
    scale = 192 / (max(x2 - x1, y2 - y1) * 1.5)
    matrix = np.array([[scale, 0, 96 - scale * (x1 + x2) / 2], [0, scale, 96 - scale * (y1 + y2) / 2]])
    crop = cv2.warpAffine(rgb, matrix, (192, 192), borderValue=0.0)
    points = run(net, blob(crop, 0.0, 1.0))[0][0].reshape(-1, dimensions)[-count:].copy()
    points[:, :2] = (points[:, :2] + 1) * 96
    if dimensions == 3:
        points[:, 2] *= 96 / scale
    points[:, :2] = (points[:, :2] - matrix[:, 2]) / scale
    return points


def fan(net, rgb, box):
    x1, y1, x2, y2 = box
    scale = 195 / max(x2 - x1, y2 - y1, 1)
    shift = (256 - np.array([x1 + x2, y1 + y2]) * scale) * 0.5
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    points, maps = run(net, blob(cv2.warpAffine(rgb, matrix, (256, 256)), 0.0, 255.0))
    score = np.interp(np.mean(np.amax(maps, axis=(2, 3))), [0, 0.9], [0, 1])
    return (points[0, :, :2] / 64 * 256 - matrix[:, 2]) / scale, score


def similarity(source, target):
    """Umeyama in the plane, by complex numbers."""
    s, t = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    a = np.vdot(s - s.mean(), t - t.mean()) / np.vdot(s - s.mean(), s - s.mean())
    b = t.mean() - a * s.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def embedding(net, rgb, five, mean, deviation):
    matrix = similarity(np.asarray(five, np.float64), TEMPLATE_112.astype(np.float64))
    values = run(net, blob(cv2.warpAffine(rgb, matrix, (112, 112), borderValue=0.0), mean, deviation))[0].ravel()
    return values / np.linalg.norm(values)


def numbers(array):
    return np.asarray(array, np.float64).round(5).tolist()


def models():
    make_embedder("w600k_r50", 20, "input.1", "683", 512, "None")
    make_embedder("sface", 21, "data", "fc1", 128, 1)
    make_landmarks("2d106det", 22, 212)
    make_landmarks("1k3d68", 27, 3309)
    make_fan()
    make_bisenet()
    make_det_10g()
    make_s3fd()
    net = {path.stem: session(path) for path in MODELS.glob("*.onnx")}
    rgb, box = picture(400, 300), [131.5, 62.25, 245.0, 210.75]
    five = [[160.5, 110.0], [219.0, 118.5], [186.0, 146.25], [161.0, 170.0], [209.5, 177.0]]
    boxes, points = scrfd(net["det_10g"], rgb, 320)
    points_fan, score_fan = fan(net["2dfan4"], rgb, box)
    mean, deviation = IMAGENET
    labels = run(net["bisenet"], blob(cv2.resize(rgb, (512, 512)), mean * 255, deviation * 255))[0][0].argmax(0)
    expected = {
        "w600k_r50": numbers(embedding(net["w600k_r50"], rgb, five, 127.5, 127.5)),
        "sface": numbers(embedding(net["sface"], rgb, five, 0.0, 1.0)),
        "2d106det": numbers(insightface_points(net["2d106det"], rgb, box, 2, 106)),
        "1k3d68": numbers(insightface_points(net["1k3d68"], rgb, box, 3, 68)),
        "2dfan4": numbers(points_fan),
        "2dfan4_score": float(score_fan),
        "bisenet_rows": numbers(labels[::64, ::16]),
        "det_10g": numbers(boxes),
        "det_10g_points": numbers(points),
        "s3fd": numbers(s3fd(net["s3fd"], rgb)),
    }
    print({name: np.shape(value) for name, value in expected.items()})
    (FACE / "vectors/models.json").write_text(json.dumps(expected) + "\n")


def portraits(shared):
    nets = {name: session(shared / f"weights/{name}.onnx") for name in ("scrfd_2.5g_bnkps", "scrfd_2.5g_kps")}
    nets_yunet = session(shared / "weights/yunet_n_dynamic.onnx")
    expected = {}
    for path in sorted((shared / "portraits").iterdir()):
        rgb = cv2.imread(str(path))[:, :, ::-1].copy()
        found = {}
        for name, net in nets.items():
            boxes, points = scrfd(net, rgb)
            found[name] = [[*box, *five.ravel()] for box, five in zip(boxes, points)]
        found["yunet"] = yunet(nets_yunet, rgb)
        expected[path.name] = {name: np.round(rows, 3).tolist() for name, rows in found.items()}
        print(path.name, {name: len(rows) for name, rows in found.items()})
    (FACE / "vectors/portraits.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["models"]:
        models()
    elif len(sys.argv) == 3 and sys.argv[1] == "portraits":
        portraits(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
