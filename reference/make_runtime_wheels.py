#!/usr/bin/env python3
"""Which files of which Python wheels hold ONNX Runtime: written from the package index and the wheels' own directories.

    python3 reference/make_runtime_wheels.py > crates/ml/viseme-models/manifest/runtimes.toml

Reads the directory at the end of each wheel alone, over HTTP ranges. Run it again for new versions.
"""
import io
import re
import ssl
import urllib.request
import zipfile

# OpenVINO's own project makes the last wheel later than the others: the binding asks for 1.24 or newer.
VERSIONS = {"cpu": ("onnxruntime", "1.31.1"), "openvino": ("onnxruntime-openvino", "1.24.1"),
            "cuda": ("onnxruntime-gpu", "1.31.1")}
PLATFORMS = {r"manylinux\w*_x86_64": ("linux", "x86_64"), r"manylinux\w*_aarch64": ("linux", "aarch64"),
             r"macosx\w*_arm64": ("macos", "aarch64"), "win_amd64": ("windows", "x86_64"),
             "win_arm64": ("windows", "aarch64")}
# The same library under three names: the loader asks for one of them. Devices that we do not use. Python's binding.
UNUSED = re.compile(r"pybind11|/libopenvino(_onnx_frontend)?\.so(\.2025\.\d\.\d)?$|openvino_c\.|/libtbb\.so$"
                    r"|_(auto|hetero|intel_gpu|intel_npu)_|[^/]*\.py")
WANTED = re.compile(r"onnxruntime/(capi/[^/]*(\.so|\.dylib|\.dll)[^/]*|LICENSE|ThirdPartyNotices\.txt)$")
# The Windows wheel comes without OpenVINO itself.
LEFT_OUT = {("openvino", "windows")}
CONTEXT = ssl.create_default_context()


class Remote(io.RawIOBase):
    """A file on a server, read in ranges."""

    def __init__(self, url):
        self.url, self.place = url, 0
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), context=CONTEXT) as answer:
            self.size = int(answer.headers["Content-Length"])

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.place

    def seek(self, offset, whence=0):
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def read(self, count=-1):
        end = self.size if count < 0 else min(self.size, self.place + count)
        if end <= self.place:
            return b""
        headers = {"Range": f"bytes={self.place}-{end - 1}"}
        with urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), context=CONTEXT) as answer:
            data = answer.read()
        self.place += len(data)
        return data


def wheels(package, version):
    with urllib.request.urlopen(f"https://pypi.org/simple/{package}/", context=CONTEXT) as answer:
        page = answer.read().decode()
    # One version of Python is enough: the library is the same in all.
    name = rf"{package.replace('-', '_')}-{version}-cp311-cp311-([\w.]+)\.whl"
    found = re.findall(rf'href="(https://files\.pythonhosted\.org/[^"]*/{name})#sha256=([0-9a-f]{{64}})"', page)
    for url, tag, sha256 in sorted(found):
        for pattern, platform in PLATFORMS.items():
            if re.fullmatch(pattern, tag):
                yield platform, url, sha256


def main():
    print("# Which files of which Python wheels hold ONNX Runtime. Written by reference/make_runtime_wheels.py.")
    for flavour, (package, version) in VERSIONS.items():
        for (system, machine), url, sha256 in wheels(package, version):
            if (flavour, system) in LEFT_OUT:
                continue
            remote = Remote(url)
            print(f'\n[[wheel]]\nflavour = "{flavour}"\nos = "{system}"\narch = "{machine}"\nversion = "{version}"')
            print(f'url = "{url}"\nsha256 = "{sha256}"\nbytes = {remote.size}\nfiles = [')
            for entry in zipfile.ZipFile(remote).infolist():
                if WANTED.fullmatch(entry.filename) and not UNUSED.search(entry.filename):
                    print(f'    {{ path = "{entry.filename}", bytes = {entry.file_size} }},')
            print("]")


if __name__ == "__main__":
    main()
