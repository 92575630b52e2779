"""What PyInstaller takes of torch: its libraries, and the modules that training and answering use; no compiler, no exporters, no tests.

The hook that comes with PyInstaller takes every module and its data. This one is asked first.
"""

import re

from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs, collect_submodules

_UNUSED = re.compile(
    r"torch\.(testing\._internal(?!\.(logging_tensor|__init__))|onnx|package|utils\.(tensorboard|benchmark|bottleneck|viz|hipify)"
    r"|_inductor\.(kernel|codegen|fx_passes|package|template_heuristics)|distributed\.(pipelining|checkpoint|elastic\.agent\.server\.health_check_server)"
    r"|ao\.(ns|pruning)|quantization|contrib|_export\.(db|serde|passes)|_dynamo\.(repro|test_.*)|profiler\._pattern_matcher)(\..*)?"
)

module_collection_mode = "pyz+py"  # contents.py keeps the few sources that torch reads when it is imported
warn_on_missing_hiddenimports = False
hiddenimports = collect_submodules("torch", filter=lambda name: not _UNUSED.fullmatch(name))
datas = collect_data_files("torch", includes=["bin/torch_shm_manager"])
binaries = collect_dynamic_libs("torch", search_patterns=["*.dll", "*.dylib", "lib*.so", "lib*.so.*"])
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]
