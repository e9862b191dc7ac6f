"""Who may import whom: dashboards -> widgets -> models, and no heavy library before it is needed."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = {"torch", "torchvision", "fastai", "matplotlib"}


def room(name):
    return Path(find_spec(f"ipyfastai.{name}").origin).parent


def package_of(path):
    """("ipyfastai", "widgets", "data") for widgets/data/x.py, wherever the room lies."""
    rooms = ("models", "widgets", "dashboards")
    parts = path.parent.parts
    start = max(index for index, part in enumerate(parts) if part in rooms)
    return "ipyfastai", *parts[start:]


def files(name):
    return sorted(room(name).rglob("*.py"))


def imports(path, *, at_import_time):
    """Dotted names that a file imports; relative ones are resolved."""
    package = [*package_of(path)]
    tree = ast.parse(path.read_text())
    nodes = top_level(tree) if at_import_time else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{name.name}" for name in node.names)


def top_level(node):
    """Nodes that run on import: not those inside functions, nor under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from top_level(child)


def modules_after(statement):
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def within(names, forbidden):
    return sorted(name for name in names if any(name == one or name.startswith(f"{one}.") for one in forbidden))


@pytest.mark.parametrize("path", files("models"), ids=str)
def test_models_draw_nothing(path):
    visual = {"ipywidgets", "anywidget", "traitlets", "IPython", "ipyfastai.widgets", "ipyfastai.dashboards"}
    assert within(imports(path, at_import_time=False), visual) == []


@pytest.mark.parametrize("path", files("widgets"), ids=str)
def test_widgets_know_no_dashboard_and_load_no_framework(path):
    assert within(imports(path, at_import_time=False), {"ipyfastai.dashboards"}) == []
    assert within(imports(path, at_import_time=True), HEAVY) == []


def test_importing_all_widgets_loads_no_framework():
    loaded = modules_after("import ipyfastai.widgets as w; [getattr(w, name) for name in w.__all__]")
    assert "ipywidgets" in loaded and not loaded & HEAVY


def test_serving_a_classifier_loads_neither_framework_nor_widgets_nor_pandas():
    loaded = modules_after("from ipyfastai.models import Classifier; Classifier.shipped('bears')")
    assert "onnxruntime" in loaded and not loaded & (HEAVY | {"ipywidgets", "anywidget", "pandas", "onnx"})


def test_the_check_itself_sees_a_forbidden_import(tmp_path):
    (tmp_path / "widgets").mkdir()
    path = tmp_path / "widgets" / "bad.py"
    path.write_text("from ..dashboards import app\nimport torch.nn\n\ndef late():\n    import fastai\n")
    assert within(imports(path, at_import_time=False), {"ipyfastai.dashboards"}) == ["ipyfastai.dashboards.app"]
    assert within(imports(path, at_import_time=True), HEAVY) == ["torch.nn"]
