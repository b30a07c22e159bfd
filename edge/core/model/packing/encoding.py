"""Encoding: arrays and plain structures as bytes without pickle, and back.

Everything that a snapshot holds goes through here. Bytes that can't be read as what they should be raise `StateError`,
whatever is wrong with them: a later version may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.state import StateError


class EncodedArray(msgspec.Struct, array_like=True, frozen=True):
    """An array.

    Attributes:
        dtype: As numpy spells it, with its byte order.
        shape: Its shape.
        data: Its elements in C order.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: NDArray[Any]) -> EncodedArray:
        """Encode an array."""
        return cls(array.dtype.str, array.shape, array.tobytes())

    def decode(self) -> NDArray[Any]:
        """The array, which can't be written.

        Raises:
            StateError: This is no array of numbers.
        """
        try:
            dtype = np.dtype(self.dtype)
            if dtype.kind not in "biuf":
                raise StateError(f"no array of numbers: {self.dtype}")
            return np.frombuffer(self.data, dtype).reshape(self.shape)
        except (TypeError, ValueError) as error:
            raise StateError(f"no array: {error}") from error


def encode(state: object) -> bytes:
    """A structure of numbers, strings, bytes, lists, dicts, `msgspec` structures and dataclasses."""
    return msgspec.msgpack.encode(state)


def decode(encoded: bytes, kind: Any) -> Any:
    """Decode the output of `encode()`.

    Raises:
        StateError: The bytes don't hold this kind of structure.
    """
    try:
        return msgspec.msgpack.decode(encoded, type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise StateError(f"not what is expected: {error}") from error


def encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays by name."""
    return encode({name: EncodedArray.of(each) for name, each in arrays.items()})


def decode_arrays(encoded: bytes) -> dict[str, NDArray[Any]]:
    """Decode the output of `encode_arrays()`.

    Raises:
        StateError: The bytes hold no arrays.
    """
    return {name: each.decode() for name, each in decode(encoded, dict[str, EncodedArray]).items()}
