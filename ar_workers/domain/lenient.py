"""Fields that refuse nothing: what is not as it should be is made so by a function of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


class Leniently:
    """Annotates a field: a value that is as the field wants it is taken by pydantic alone, and anything else as `read` makes it.

    Nearly every value is as it should be, and a call of Python for each field of each endpoint of each action is what takes longest
    in reading one. `plain` is the form of texts that `read` would leave as they are, where not each text that the field takes is so.
    Where `read` leaves nothing, the field is what the earlier field `instead` is.
    """

    def __init__(self, read: Callable[[Any], Any], *, plain: str = "", instead: str = "") -> None:
        self._read, self._plain, self._instead = read, plain, instead

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """The field's own, and it again behind `read`."""
        own = handler(source)
        natively = core_schema.str_schema(pattern=self._plain, max_length=own["max_length"], strict=True) if self._plain else own
        return core_schema.union_schema(
            [natively, core_schema.with_info_before_validator_function(self._made_so, own)], mode="left_to_right"
        )

    def _made_so(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        made = self._read(value)
        return made if made or not self._instead else info.data.get(self._instead, "")

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """What is wanted, whatever is taken."""
        inner: Any = schema
        while inner["type"] != "union":  # what other annotations have put around it says nothing of its form
            inner = inner["schema"]
        return handler(inner["choices"][-1])
