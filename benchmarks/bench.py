"""How fast is the core? Peers side by side, in turn, on one thread.

Every figure is a median of processor time.

    python benchmarks/bench.py            everything, ten minutes; PyTorch, JAX where installed
    python benchmarks/bench.py --quick    a look: few rounds, nothing is written

In each round every peer has its turn: two calls that do not count, so that it finds its memory warm
as in a training loop, then at least a few milliseconds that do. A slow phase of the machine hits
all of them. Writes result.json, and result.md, which the book's appendix shows.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import numpy as np  # noqa: E402
import peers  # noqa: E402

from bptt_core import gradient_flow, jacobians, lstm, rnn  # noqa: E402

SHAPES = [  # (T, B, D, H)
    (50, 1, 8, 8), (100, 1, 16, 32), (100, 32, 32, 64), (100, 32, 64, 128),
    (200, 64, 128, 256), (50, 16, 65, 100), (1000, 1, 4, 16), (1000, 8, 16, 64),
]  # fmt: skip
CELLS = {"RNN": rnn, "LSTM": lstm}
HAS_TORCH, HAS_JAX = find_spec("torch") is not None, find_spec("jax") is not None


def in_turn(calls, *, rounds, least=0.01):
    """Median seconds of processor time of one call of each function, over `rounds` rounds of at
    least `least` s."""
    numbers = {}
    for name, call in calls.items():
        call()
        start = time.process_time()
        call()
        numbers[name] = max(1, min(200, int(least / max(time.process_time() - start, 1e-6))))
    seconds = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call(), call()
            start = time.process_time()
            for _ in range(numbers[name]):
                call()
            seconds[name].append((time.process_time() - start) / numbers[name])
    return {name: float(np.median(values)) for name, values in seconds.items()}


def passes(rounds):
    """Forward and backward pass with all gradients, at the eight shapes, both cells and both
    types."""
    table = []
    for cell, module in CELLS.items():
        for dtype in (np.float64, np.float32):
            for shape in SHAPES:
                T, B, D, H = shape
                rng = np.random.default_rng(0)
                params = module.init_params(D, H, rng, dtype=dtype)
                x, dh = (rng.standard_normal((T, B, size)).astype(dtype) for size in (D, H))

                def core(module=module, params=params, x=x, dh=dh):
                    return module.backward(params, module.forward(params, x), dh).params

                calls = {
                    "bptt_core": core,
                    "products alone": peers.products_alone(shape, cell, dtype),
                }
                calls["textbook"] = peers.textbook(params, x, dh)
                if HAS_TORCH:
                    calls["torch.nn"] = peers.torch_module(params, x, dh)
                if HAS_JAX:
                    calls["jax jitted"] = peers.jax_scan(params, x, dh)
                for name, call in calls.items():
                    if name != "products alone":
                        peers.same(core(), call(), f"{name} {cell} {shape}")
                big = T * B * H > 10**6
                seconds = in_turn(calls, rounds=max(3, rounds // 4) if big else rounds)
                table.append(
                    {
                        "cell": cell,
                        "dtype": np.dtype(dtype).name,
                        "shape": shape,
                        "seconds": seconds,
                    }
                )
                ratios = {
                    name: f"{value / seconds['bptt_core']:.2f}" for name, value in seconds.items()
                }
                print(
                    cell,
                    np.dtype(dtype).name,
                    shape,
                    f"{1e3 * seconds['bptt_core']:.3f} ms",
                    ratios,
                    flush=True,
                )
    return table


def curves(rounds):
    """All ‖∂h_T/∂h_{T−k}‖ of one RNN with 64 units: one walk back, against a backward pass for
    every component."""
    table, n = [], 64
    for T in (100, 1000):
        rng = np.random.default_rng(0)
        params = rnn.init_params(8, n, rng, scale=1.1)
        cache = rnn.forward(params, rng.standard_normal((T, 1, 8)))
        J = jacobians.step_jacobians(params, cache)[:, 0]
        calls = {
            "bptt_core": lambda params=params, cache=cache: gradient_flow.norm_curve(
                params, cache, norm="fro"
            ),
            "products alone": lambda J=J: peers.bare_products(J),
        }
        if HAS_TORCH:
            calls |= peers.torch_curves(params, cache)
        seconds = in_turn(calls, rounds=max(3, rounds // 5))
        table.append({"T": T, "units": n, "seconds": seconds})
        print(
            "curve",
            T,
            {name: f"{1e3 * value:.2f} ms" for name, value in seconds.items()},
            flush=True,
        )
    return table


def lyapunov(rounds):
    """The whole Lyapunov spectrum of an RNN with 32 units over 200 steps."""
    rng = np.random.default_rng(0)
    params = rnn.init_params(4, 32, rng, scale=1.4)
    cache = rnn.forward(params, rng.standard_normal((200, 1, 4)))

    def core():
        return gradient_flow.lyapunov_exponents(jacobians.step_jacobians(params, cache)[:, 0])

    calls = {"bptt_core": core} | (
        {"torch autograd": peers.torch_lyapunov(params, cache)} if HAS_TORCH else {}
    )
    seconds = in_turn(calls, rounds=max(3, rounds // 5))
    print(
        "lyapunov", {name: f"{1e3 * value:.2f} ms" for name, value in seconds.items()}, flush=True
    )
    return {"T": 200, "units": 32, "seconds": seconds}


def lab_table(rounds):
    """A lab's table: gradient curves of 61 × 41 RNNs with 16 units over 100 steps, as one grid and
    in a Python loop."""
    rng = np.random.default_rng(0)
    base, x = rnn.init_params(4, 16, rng, bias=False), rng.standard_normal((100, 1, 4))
    radius, drive = (
        np.linspace(0.2, 2, 61)[:, None, None, None],
        np.linspace(0, 2, 41)[:, None, None],
    )
    grid = rnn.Params(
        np.broadcast_to(base.W_xh * drive, (61, 41, 16, 4)),
        np.broadcast_to(base.W_hh * radius, (61, 41, 16, 16)),
    )

    def curve(params):
        return gradient_flow.norm_curve(params, rnn.forward(params, x), norm="fro")

    def loop():
        for i in range(61):
            for j in range(41):
                curve(rnn.Params(grid.W_xh[i, j], grid.W_hh[i, j]))

    seconds = in_turn(
        {"bptt_core": lambda: curve(grid), "one network at a time": loop},
        rounds=max(3, rounds // 10),
    )
    print("lab table", seconds, flush=True)
    return {"settings": [61, 41], "T": 100, "units": 16, "seconds": seconds}


def memory():
    """Numbers that a forward pass keeps, for each step and sequence, and the peak of forward and
    backward."""
    table = []
    T, B, D, H = 100, 32, 64, 128
    for cell, module in CELLS.items():
        rng = np.random.default_rng(0)
        params, x = module.init_params(D, H, rng), rng.standard_normal((T, B, D))
        tracemalloc.start()
        cache = module.forward(params, x)
        kept = tracemalloc.get_traced_memory()[0] / 8 / (T * B)
        module.backward(params, cache, np.ones((T, B, H)))
        peak = tracemalloc.get_traced_memory()[1] / 8 / (T * B)
        tracemalloc.stop()
        allowed = (7 if cell == "LSTM" else 1) * H + D + 1
        table.append(
            {"cell": cell, "shape": (T, B, D, H), "kept": kept, "allowed": allowed, "peak": peak}
        )
        print("memory", table[-1], flush=True)
    return table


FIRST_GRADIENT = {
    "bptt_core": "import numpy as np; from bptt_core import lstm; r = np.random.default_rng(0); "
    "p = lstm.init_params(4, 16, r);"
    "lstm.backward(p, lstm.forward(p, r.standard_normal((50, 1, 4))), {50: np.ones((1, 16))})",
    "torch.nn": "import torch; m = torch.nn.LSTM(4, 16); "
    "m(torch.randn(50, 1, 4))[0][-1].sum().backward()",
    "jax": "import numpy as np; from bptt_core import lstm; import peers; "
    "r = np.random.default_rng(0); p = lstm.init_params(4, 16, r); "
    "peers.jax_scan(p, r.standard_normal((50, 1, 4)), r.standard_normal((50, 1, 16)))()",
}
IMPORTS = {
    "numpy": "import numpy",
    "bptt_core": "import bptt_core",
    "torch.nn": "import torch",
    "jax": "import jax",
}


def fresh(statements, rounds):
    """Median seconds of processor time of a fresh Python that runs each statement, less a Python
    that does nothing."""
    available = {"torch.nn": HAS_TORCH, "jax": HAS_JAX}
    statements = {"nothing": "pass"} | {
        name: code for name, code in statements.items() if available.get(name, True)
    }
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path[:2])}
    seconds = {name: [] for name in statements}
    for _ in range(rounds):
        for name, code in statements.items():
            before = os.times()
            subprocess.run([sys.executable, "-c", code], check=True, env=env)
            after = os.times()
            used = (
                after.children_user
                + after.children_system
                - before.children_user
                - before.children_system
            )
            seconds[name].append(used)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    nothing = medians.pop("nothing")
    return {name: value - nothing for name, value in medians.items()}


def symbolic(rounds):
    """A whole LSTM (2 units, 3 steps) differentiated by SymPy."""
    if find_spec("sympy") is None:
        return None
    code = "from bptt_core import derivations; derivations.lstm(2, 3).function()"
    seconds = fresh(
        {"import": "from bptt_core import derivations", "import and derive": code},
        max(3, rounds // 10),
    )
    return {"seconds": seconds["import and derive"] - seconds["import"]}


def machine():
    """What was measured on, without names or paths."""
    cpu = next(
        (line.partition(":")[2].strip() for line in cpuinfo() if line.startswith("model name")),
        platform.machine(),
    )
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    for name, there in (("torch", HAS_TORCH), ("jax", HAS_JAX)):
        if there:
            versions[name] = __import__(name).__version__
    return {
        "processor": cpu,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "versions": versions,
    }


def cpuinfo():
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def geometric_mean(ratios):
    return float(np.exp(np.mean(np.log(list(ratios)))))


def markdown(result):
    """The tables of the book's appendix."""
    versions = ", ".join(
        f"{name} {version}" for name, version in result["machine"]["versions"].items()
    )
    lines = [
        f"Measured on {result['date']}: {result['machine']['processor']}, "
        f"{result['machine']['cores']} cores, one thread, {versions}.",
        "",
    ]
    names = [
        name
        for name in ("textbook", "torch.nn", "jax jitted", "products alone")
        if name in result["passes"][0]["seconds"]
    ]
    for cell in CELLS:
        for dtype in ("float64", "float32"):
            rows = [row for row in result["passes"] if (row["cell"], row["dtype"]) == (cell, dtype)]
            lines += [
                f"**{cell}, {dtype}**",
                "",
                "| T, B, D, H | time, ms | " + " | ".join(names) + " |",
            ]
            lines += ["| --- " * (2 + len(names)) + "|"]
            for row in rows:
                seconds = row["seconds"]
                ratios = [f"{seconds[name] / seconds['bptt_core']:.2f}" for name in names]
                shape = ", ".join(map(str, row["shape"]))
                lines.append(
                    f"| {shape} | {1e3 * seconds['bptt_core']:.3g} | " + " | ".join(ratios) + " |"
                )
            means = [
                f"{geometric_mean(r['seconds'][n] / r['seconds']['bptt_core'] for r in rows):.2f}"
                for n in names
            ]
            lines += ["| geometric mean | | " + " | ".join(means) + " |", ""]
    lines += ["**Other tasks**", "", "| task | time, ms | against |", "| --- | --- | --- |"]

    def task(label, seconds):
        own = seconds["bptt_core"]
        against = "; ".join(
            f"{name} {value / own:.3g}×" for name, value in seconds.items() if name != "bptt_core"
        )
        lines.append(f"| {label} | {1e3 * own:.3g} | {against} |")

    for row in result["curves"]:
        task(f"gradient at all lags, {row['units']} units, {row['T']} steps", row["seconds"])
    task("Lyapunov spectrum, 32 units, 200 steps", result["lyapunov"]["seconds"])
    task("gradient curves of 61 × 41 RNNs, 16 units, 100 steps", result["lab_table"]["seconds"])
    task("fresh Python to the first LSTM gradient", result["first_gradient"])
    task("import", result["imports"])
    if result["symbolic"]:
        lines.append(
            "| LSTM with 2 units and 3 steps, derived by SymPy | "
            f"{1e3 * result['symbolic']['seconds']:.0f} | |"
        )
    lines += ["", "**Memory of a forward pass**, in numbers for each step and sequence", ""]
    lines += ["| cell | kept | formula |", "| --- | --- | --- |"]
    for row in result["memory"]:
        formula = "7H + D + 1" if row["cell"] == "LSTM" else "H + D + 1"
        lines.append(
            f"| {row['cell']}, D = {row['shape'][2]}, H = {row['shape'][3]} "
            f"| {row['kept']:.0f} | {formula} = {row['allowed']} |"
        )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing is written")
    rounds = 3 if parser.parse_args().quick else 31
    result = {"date": datetime.date.today().isoformat(), "machine": machine()}
    result["passes"] = passes(rounds)
    result["curves"] = curves(rounds)
    result["lyapunov"] = lyapunov(rounds)
    result["lab_table"] = lab_table(rounds)
    result["memory"] = memory()
    result["first_gradient"] = fresh(FIRST_GRADIENT, max(3, rounds // 4))
    result["imports"] = fresh(IMPORTS, max(3, rounds // 2))
    result["symbolic"] = symbolic(rounds)
    if rounds > 3:
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        (HERE / "result.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
