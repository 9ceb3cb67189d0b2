"""Which words a pydantic model knows at a place of a document: what an unknown word is compared with."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel


def words_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> frozenset[str]:
    """The keys that the model allows in the mapping at `loc`; empty where it allows any."""
    models: list[type[BaseModel]] = [model]
    for part in loc:
        if isinstance(part, int):
            continue  # list and tuple items have the models of the list
        inner = [nested for known in models for nested in _field_models(known, part)]
        models = inner or models  # no field: a key of a mapping, or the name of a union's member
    return frozenset(word for known in models for word in _words(known))


def _words(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _field_models(model: type[BaseModel], word: str) -> list[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if word in {name, field.alias}:
            return _models_in(field.annotation)
    return []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
