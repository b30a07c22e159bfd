"""Sparkplug B messages for Google's protobuf library, built from a table of the specification's field numbers."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "sparkplug_test"
_FIELDS = {
    "PropertyValue": "type:uint32 is_null:bool int_value:uint32 long_value:uint64 float_value:float "
    "double_value:double boolean_value:bool string_value:string",
    "PropertySet": "*keys:string *values:PropertyValue",
    "DataSet": "num_of_columns:uint64 *columns:string",
    "Template": "version:string",
    "Metric": "name:string alias:uint64 timestamp:uint64 datatype:uint32 is_historical:bool is_transient:bool "
    "is_null:bool metadata:bytes properties:PropertySet int_value:uint32 long_value:uint64 float_value:float "
    "double_value:double boolean_value:bool string_value:string bytes_value:bytes dataset_value:DataSet "
    "template_value:Template",
    "Payload": "timestamp:uint64 *metrics:Metric seq:uint64 uuid:string body:bytes",
}
"""Fields by message, numbered from 1; a star marks repeated fields."""

_VALUES = {"PropertyValue": range(3, 9), "Metric": range(10, 19)}
"""Numbers of the fields of which one is set."""


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_test.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        if message in _VALUES:
            described.oneof_decl.add(name="value")
        for number, (name, kind) in enumerate((each.split(":") for each in fields.split()), start=1):
            field = described.field.add(name=name.lstrip("*"), number=number)
            field.label = field.LABEL_REPEATED if name.startswith("*") else field.LABEL_OPTIONAL
            if kind in _FIELDS:
                field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = getattr(field, f"TYPE_{kind.upper()}")
            if number in _VALUES.get(message, ()):
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {each: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{each}")) for each in _FIELDS}


CLASSES = _classes()
