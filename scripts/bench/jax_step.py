"""The JAX side of compare.py: the same training step as one jitted function with donated parameters.

    python scripts/bench/jax_step.py CPUS THREADS                                         (started by compare.py)

How the K winners are found and how weights lie in memory changes JAX's time by up to a factor of two, in either
direction, with the sparsity. So each case is built in every combination of SELECTIONS and LAYOUTS, timed for a
few steps, and the fastest is the one that is compared.
"""
import argparse
import functools
import os
import statistics
import time

from worker import pin, serve

parser = argparse.ArgumentParser()
parser.add_argument("cpus")
parser.add_argument("threads", type=int)
options = parser.parse_args()
pin(options.cpus)
if options.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax                                       # noqa: E402  (after XLA_FLAGS)
import jax.numpy as jnp                          # noqa: E402
import numpy as np                               # noqa: E402

jax.config.update("jax_platforms", "cpu")
INPUTS, CLASSES = 3072, 10
WARM_UP, TRIAL = 3, 7
LR = {"sgd": 0.01, "adam": 1e-4}
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def winners_by_top_k(z, k):
    """XLA's TopK gives indices; a scatter makes them a mask."""
    index = jax.lax.top_k(z, k)[1]
    return jnp.zeros_like(z).at[jnp.arange(z.shape[0])[:, None], index].set(1.0)


def winners_by_bisection(z, k):
    """The K-th largest value, one bit at a time: floats as integers that sort alike, 32 counting passes.

    Equal values at the K-th place all win, which top_k would not allow; with real numbers that is rare.
    """
    bits = jax.lax.bitcast_convert_type(z, jnp.int32)
    bits = jnp.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    least = jnp.int32(-(2**31))
    non_negative = jnp.sum((bits >= 0).astype(jnp.int32), axis=1, keepdims=True)
    threshold = jnp.where(non_negative >= k, jnp.int32(0), least)

    def refine(i, threshold):
        candidate = threshold + (jnp.int32(1) << (30 - i))
        count = jnp.sum((bits >= candidate).astype(jnp.int32), axis=1, keepdims=True)
        return jnp.where(count >= k, candidate, threshold)

    return (bits >= jax.lax.fori_loop(0, 31, refine, threshold)).astype(z.dtype)


SELECTIONS = {"top_k": winners_by_top_k, "bisection": winners_by_bisection}
# Rows of a weight are outputs ("oi", as in PyTorch) or inputs ("io").
LAYOUTS = ("oi", "io")


def make_step(case, k, winners, layout):
    by_output = layout == "oi"

    def linear(x, w, b):
        return (x @ w.T if by_output else x @ w) + b

    def loss_of(parameters, x, y):
        utilization = []
        for w, b in parameters[:-1]:
            z = linear(x, w, b)
            mask = jax.lax.stop_gradient(winners(jax.lax.stop_gradient(z), k))
            x = jax.nn.relu(z) * mask
            utilization.append(mask.mean(0))
        logits = linear(x, *parameters[-1])
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)
        return -picked.mean(), utilization

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state, x, y):
        (loss, utilization), gradients = jax.value_and_grad(loss_of, has_aux=True)(state["parameters"], x, y)
        multipliers = [None] * len(gradients)
        if case["variant"] == "zero-sum":
            for i, u in enumerate(utilization):
                multipliers[i] = u / u.mean()
        elif case["variant"] != "vanilla":
            raise ValueError(f"variant {case['variant']} is not written in JAX; vanilla and zero-sum are")

        def scaled(delta, m, is_weight):
            if m is None:
                return delta
            return delta * (m[:, None] if is_weight and by_output else m)

        if case["optimizer"] == "sgd":
            parameters = [
                tuple(p - LR["sgd"] * scaled(g, m, p.ndim == 2) for p, g in zip(ps, gs))
                for ps, gs, m in zip(state["parameters"], gradients, multipliers)]
            return {"parameters": parameters}, loss
        if case["optimizer"] == "adam":
            t = state["t"] + 1
            first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state["first"], gradients)
            second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state["second"], gradients)
            rate, root = LR["adam"] / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
            parameters = [
                tuple(p - scaled(rate * a / (jnp.sqrt(v) / root + EPSILON), m, p.ndim == 2)
                      for p, a, v in zip(ps, avs, vs))
                for ps, avs, vs, m in zip(state["parameters"], first, second, multipliers)]
            return {"parameters": parameters, "first": first, "second": second, "t": t}, loss
        raise ValueError(f"optimizer {case['optimizer']} is not written in JAX; sgd and adam are")

    return step


def initial_state(case, layout):
    draw = np.random.default_rng(0)
    sizes = [INPUTS] + [case["width"]] * case["hidden_layers"] + [CLASSES]
    parameters = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        bound = fan_in**-0.5
        w = draw.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        b = draw.uniform(-bound, bound, fan_out).astype(np.float32)
        parameters.append((jnp.asarray(w if layout == "oi" else np.ascontiguousarray(w.T)), jnp.asarray(b)))
    if case["optimizer"] == "sgd":
        return {"parameters": parameters}
    return {"parameters": parameters, "first": jax.tree.map(jnp.zeros_like, parameters),
            "second": jax.tree.map(jnp.zeros_like, parameters), "t": jnp.float32(0)}


def build(case):
    k = max(1, round((1 - case["sparsity"]) * case["width"]))
    draw = np.random.default_rng(1)
    batch = case["batch_size"]
    inputs = [jnp.asarray(draw.standard_normal((batch, INPUTS), dtype=np.float32)) for _ in range(4)]
    labels = [jnp.asarray(draw.integers(0, CLASSES, batch)) for _ in range(4)]

    def runner(selection, layout):
        step, state, taken = make_step(case, k, SELECTIONS[selection], layout), initial_state(case, layout), 0

        def run(steps):
            nonlocal state, taken
            seconds = []
            for _ in range(steps):
                x, y = inputs[taken % len(inputs)], labels[taken % len(labels)]
                start = time.perf_counter()
                state, _ = jax.block_until_ready(step(state, x, y))
                seconds.append(time.perf_counter() - start)
                taken += 1
            return seconds

        run(WARM_UP)
        return run

    best = None
    for selection in SELECTIONS:
        for layout in LAYOUTS:
            run = runner(selection, layout)
            typical = statistics.median(run(TRIAL))
            if best is None or typical < best[0]:
                best = (typical, run, {"jax": jax.__version__, "selection": selection, "layout": layout})
    return best[1], best[2]


serve(build)
