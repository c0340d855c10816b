"""A kind of import contract that import-linter lacks: these modules import the standard library and what is listed."""

from __future__ import annotations

import re
import sys
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImportsContract(Contract):
    """Anything that is not on the list is forbidden, packages from elsewhere included.

    Needs `include_external_packages`. A name stands for itself and all below it; `*` stands for one part of a name.
    """

    type_name = "allowed_imports"

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Every direct import of these modules against the list."""
        bound = _pattern(cast("list[str]", self.modules))
        allowed = _pattern([*cast("list[str]", self.modules), *cast("list[str]", self.allowed)])
        broken = [
            f"{module} imports {imported}"
            for module in sorted(graph.modules)
            if bound.match(module)
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if not allowed.match(imported) and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import that is not on the list."""
        for line in check.metadata["broken"]:
            output.print_error(line)


def _pattern(names: list[str]) -> re.Pattern[str]:
    spelled = "|".join(re.escape(name).replace(r"\*", r"[^.]+") for name in names)
    return re.compile(rf"({spelled})(\.|$)")
