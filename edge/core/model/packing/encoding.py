"""Encoding: converts arrays and plain structures to bytes and back, without pickle.

Everything in a snapshot uses this encoding. Bytes that can't be decoded as the expected type raise `StateError`,
whatever the cause: a later version may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.state import StateError


class EncodedArray(msgspec.Struct, array_like=True, frozen=True):
    """An encoded array.

    Attributes:
        dtype: numpy's type string, including byte order.
        shape: Its shape.
        data: Elements in C order.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: NDArray[Any]) -> EncodedArray:
        """Encode an array."""
        return cls(array.dtype.str, array.shape, array.tobytes())

    def decode(self) -> NDArray[Any]:
        """The array, read-only.

        Raises:
            StateError: It isn't an array of numbers.
        """
        try:
            dtype = np.dtype(self.dtype)
            if dtype.kind not in "biuf":
                raise StateError(f"not an array of numbers: {self.dtype}")
            return np.frombuffer(self.data, dtype).reshape(self.shape)
        except (TypeError, ValueError) as error:
            raise StateError(f"no array: {error}") from error


def encode(state: object) -> bytes:
    """Encode a structure of numbers, strings, bytes, lists, dicts, `msgspec` structures and dataclasses."""
    return msgspec.msgpack.encode(state)


def decode(encoded: bytes, kind: Any) -> Any:
    """Decode the result of `encode()`.

    Raises:
        StateError: The bytes don't hold this kind of structure.
    """
    try:
        return msgspec.msgpack.decode(encoded, type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise StateError(f"unexpected content: {error}") from error


def encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Encode arrays by name."""
    return encode({name: EncodedArray.of(each) for name, each in arrays.items()})


def decode_arrays(encoded: bytes) -> dict[str, NDArray[Any]]:
    """Decode the result of `encode_arrays()`.

    Raises:
        StateError: The bytes hold no arrays.
    """
    return {name: each.decode() for name, each in decode(encoded, dict[str, EncodedArray]).items()}
