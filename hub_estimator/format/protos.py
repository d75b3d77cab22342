"""The three small messages of the format, built from descriptors.

They sit in the proto package `hub_estimator` and in a descriptor pool of their own, so that they
live beside the original classes; the bytes are the same. Source of the field numbers: the format's
definition, see "On disk" in the README's format notes.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FORMAT_V3 = 3
"""`ModuleDef.format` of every module that is written and read."""

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "hub_estimator"


def _field(message: Any, name: str, number: int, kind: int, **kwargs: Any) -> None:
    label = _FIELD.LABEL_REPEATED if kwargs.pop("repeated", False) else _FIELD.LABEL_OPTIONAL
    message.field.add(name=name, number=number, type=kind, label=label, **kwargs)


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="hub_estimator/format.proto", package=_PACKAGE, syntax="proto3"
    )
    module_def = file.message_type.add(name="ModuleDef")
    formats = module_def.enum_type.add(name="Format")
    formats.value.add(name="FORMAT_UNSPECIFIED", number=0)
    formats.value.add(name="FORMAT_V3", number=FORMAT_V3)
    _field(module_def, "format", 1, _FIELD.TYPE_ENUM, type_name=f".{_PACKAGE}.ModuleDef.Format")
    _field(module_def, "required_features", 2, _FIELD.TYPE_STRING, repeated=True)

    attachment = file.message_type.add(name="ModuleAttachment")
    _field(attachment, "key", 1, _FIELD.TYPE_STRING)
    _field(attachment, "value", 2, _FIELD.TYPE_BYTES)

    info = file.message_type.add(name="ImageModuleInfo")
    size = info.nested_type.add(name="InputSize")
    _field(size, "height", 1, _FIELD.TYPE_INT32)
    _field(size, "width", 2, _FIELD.TYPE_INT32)
    size_type = f".{_PACKAGE}.ImageModuleInfo.InputSize"
    _field(info, "default_image_size", 1, _FIELD.TYPE_MESSAGE, type_name=size_type)
    return file


def _classes() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    names = ("ModuleDef", "ModuleAttachment", "ImageModuleInfo")
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in names
    }


_CLASSES = _classes()
ModuleDef = _CLASSES["ModuleDef"]
ModuleAttachment = _CLASSES["ModuleAttachment"]
ImageModuleInfo = _CLASSES["ImageModuleInfo"]
