"""The mutants of a syntax tree: something is exchanged for its like, or a statement left out.

Texts of error messages are left alone, and so are `strict=True` and the −1 of a reshape, which
nothing can tell from `strict=False` and −2 in working code.
"""

import ast

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
TEXT_ONLY = {
    "wanted",
    "report_overflow",
    "check_number",
    "check_sizes",
    "ValueError",
    "GradientError",
    "property",
}


def mutants(tree):
    """Yield (line, what, change) for every place: calling `change` alters the tree, calling it
    again restores it."""
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            child.parent = parent
    for node in ast.walk(tree):
        if is_text(node):
            continue
        if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
            yield (
                node.lineno,
                f"{name(node.op)} → {name(SWAPS[type(node.op)]())}",
                exchange(node, "op", SWAPS[type(node.op)]()),
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield node.lineno, "@ → *", exchange(node, "op", ast.Mult())
        if isinstance(node, ast.BoolOp):
            yield (
                node.lineno,
                f"{name(node.op)} swapped",
                exchange(node, "op", SWAPS[type(node.op)]()),
            )
        if isinstance(node, ast.Compare):
            for k, op in enumerate(node.ops):
                ops = [*node.ops[:k], SWAPS[type(op)](), *node.ops[k + 1 :]]
                yield node.lineno, f"{name(op)} → {name(ops[k])}", exchange(node, "ops", ops)
        if isinstance(node, ast.IfExp):
            yield node.lineno, "branches swapped", exchange_both(node)
        if isinstance(node, ast.If):
            yield (
                node.lineno,
                "condition negated",
                exchange(node, "test", ast.UnaryOp(ast.Not(), node.test)),
            )
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
            yield node.lineno, f"{name(node.op)} dropped", exchange_node(node, node.operand)
        if isinstance(node, ast.Constant) and not is_docstring(node):
            for value in other_values(node.value):
                yield node.lineno, f"{node.value!r} → {value!r}", exchange(node, "value", value)
        if isinstance(node, ast.AugAssign | ast.Raise) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield node.lineno, "statement dropped", exchange_node(node, ast.Pass())
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            yield node.lineno, "assignment dropped", exchange_node(node, ast.Pass())


def other_values(value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1] if value else [1]
    return [value + "x"] if isinstance(value, str) else []


def name(op):
    return type(op).__name__


def is_docstring(node):
    return isinstance(node.parent, ast.Expr) and isinstance(node.value, str)


def is_text(node):
    """Whether a node only makes the text of a message, a type, or a name, or what nothing can tell
    apart."""
    called = ""
    while hasattr(node, "parent"):
        node, child = node.parent, node
        if isinstance(node, ast.JoinedStr):
            return True
        if isinstance(node, ast.Call) and child in [*node.args, *node.keywords]:
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in TEXT_ONLY or (called == "isinstance" and child is node.args[-1]):
                return True
            if (
                called in ("number_array", "check_step", "upstream", "_upstream")
                and child is node.args[0]
            ):
                return True
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return True
        if isinstance(node, ast.Call) and isinstance(child, ast.UnaryOp) and called == "reshape":
            return True
        if isinstance(node, ast.AnnAssign | ast.arg) and child is node.annotation:
            return True
        if isinstance(node, ast.FunctionDef) and child is node.returns:
            return True
    return False


def exchange(node, field, value):
    def change():
        nonlocal value
        old = getattr(node, field)
        setattr(node, field, value)
        value = old

    return change


def exchange_both(node):
    def change():
        node.body, node.orelse = node.orelse, node.body

    return change


def exchange_node(node, other):
    """Put `other` in the place of `node` in its parent."""
    for field, value in ast.iter_fields(node.parent):
        if value is node:
            return exchange(node.parent, field, other)
        if isinstance(value, list) and any(item is node for item in value):
            return exchange(node.parent, field, [other if item is node else item for item in value])
    raise LookupError(ast.dump(node))
