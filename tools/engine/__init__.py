"""How tools work: what a tool file imports. Permits are not offered here; the door imports tools.engine.permit."""

from tools.engine.arguments import Arguments, OneLine
from tools.engine.catalogue import Catalogue, discover
from tools.engine.context import ToolContext
from tools.engine.failure import CannotDo
from tools.engine.fields import From, Returned, Row, records, rows_of
from tools.engine.preview import Preview
from tools.engine.results import said
from tools.engine.tool import Tool, ToolDefinitionError, tool

__all__ = [
    "Arguments",
    "CannotDo",
    "Catalogue",
    "From",
    "OneLine",
    "Preview",
    "Returned",
    "Row",
    "Tool",
    "ToolContext",
    "ToolDefinitionError",
    "discover",
    "records",
    "rows_of",
    "said",
    "tool",
]
