"""A provider with azurerm's schemas and nothing behind them, so that Terraform makes real plans without a network.

Not a part of the product: `plan_contoso.py` runs it. Needs `pip install tf==1.2.0`, which brings Terraform's plugin
protocol. What Azure would compute is unknown in a plan, as with the real provider. Attributes are written `name!`
(required), `name?` (optional), `name^` (computed) or `name~` (optional and computed), with their type after a colon:
b(ool), n(umber), m(ap of text), l(ist of text), S(et of text); text where there is none.
"""

from __future__ import annotations

import json
from typing import Any

import msgpack
import tf.provider
from schemas import DATA, RESOURCES
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.runner import run_provider

UNKNOWN = msgpack.ExtType(0, b"\0")
TYPES: dict[str, Any] = {
    "": "string", "b": "bool", "n": "number", "m": ["map", "string"], "l": ["list", "string"], "S": ["set", "string"],
}  # fmt: skip


class Block:
    """The schema of a resource, or of a block inside one: attributes as words, and blocks by name."""

    def __init__(self, told: list[Any]) -> None:
        words, inner = told[0], told[1] if len(told) > 1 else {}
        self.attributes: dict[str, tuple[str, str]] = {}
        for word in words.split():
            name, _, kind = word.partition(":")
            self.attributes[name[:-1]] = (name[-1], kind)
        self.blocks = {name: Block(one) for name, one in inner.items()}

    def schema(self) -> Any:
        """As Terraform asks for it."""
        return pb.Schema.Block(
            attributes=[
                pb.Schema.Attribute(
                    name=name, type=json.dumps(TYPES[kind]).encode(), required=sign == "!", optional=sign in "?~",
                    computed=sign in "^~",
                )
                for name, (sign, kind) in self.attributes.items()
            ],
            block_types=[
                pb.Schema.NestedBlock(type_name=name, block=one.schema(), nesting=pb.Schema.NestedBlock.LIST)
                for name, one in self.blocks.items()
            ],
        )  # fmt: skip

    def planned(self, values: Any) -> Any:
        """What was written, with what only Azure decides."""
        if not isinstance(values, dict):
            return values
        for name, (sign, _) in self.attributes.items():
            if values.get(name) is None and sign in "^~":
                values[name] = UNKNOWN
        for name, block in self.blocks.items():
            if isinstance(values.get(name), list):
                values[name] = [block.planned(one) for one in values[name]]
        return values


def packed(value: Any) -> Any:
    """A value as the protocol carries it."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def unpacked(value: Any) -> Any:
    """The value that the protocol carries."""
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, ext_hook=lambda _, __: UNKNOWN, strict_map_key=False)
    return json.loads(value.json) if value.json else None


class Service(rpc.ProviderServicer):  # type: ignore[misc]
    """The part of the protocol that a plan from nothing needs."""

    def __init__(self, _: Any) -> None:
        self.resources = {name: Block(told) for name, told in RESOURCES.items()}
        self.data = {name: Block(told) for name, told in DATA.items()}

    def GetMetadata(self, _: Any, __: Any) -> Any:
        return pb.GetMetadata.Response(
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self.resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self.data],
        )

    def GetProviderSchema(self, _: Any, __: Any) -> Any:
        provider = Block(["subscription_id?", {"features": [""]}])
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=provider.schema()),
            resource_schemas={name: pb.Schema(block=block.schema()) for name, block in self.resources.items()},
            data_source_schemas={name: pb.Schema(block=block.schema()) for name, block in self.data.items()},
        )

    def ValidateProviderConfig(self, _: Any, __: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, _: Any, __: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, _: Any, __: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, _: Any, __: Any) -> Any:
        return pb.ConfigureProvider.Response()

    def PlanResourceChange(self, request: Any, _: Any) -> Any:
        proposed = unpacked(request.proposed_new_state)
        return pb.PlanResourceChange.Response(planned_state=packed(self.resources[request.type_name].planned(proposed)))

    def StopProvider(self, _: Any, __: Any) -> Any:
        return pb.StopProvider.Response()

    def GetFunctions(self, _: Any, __: Any) -> Any:
        return pb.GetFunctions.Response()


class AzureRM:
    """What the library asks of a provider before it hands over to the service."""

    def full_name(self) -> str:
        """Its name in a registry."""
        return "hashicorp/azurerm"


tf.provider.ProviderServicer = Service
if __name__ == "__main__":
    run_provider(AzureRM())
