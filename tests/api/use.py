"""use.py - arrays of python/mmcore are what the commands wrote. FOLDER PLUGIN-FOLDER; prints a line of TAP a test."""

import os
import sys
import threading

import numpy as np

import mmcore

folder, plugins = sys.argv[1:]
tests = []


def test(function):
    tests.append(function)


def at(*names):
    return os.path.join(folder, *names)


def opened(**options):
    return mmcore.Model(at("run"), plugin_path=plugins, **options)


def column(path):
    return np.loadtxt(path, dtype=np.float64).astype(np.float32)


def same(a, b):
    assert a.shape == b.shape and a.tobytes() == b.tobytes(), f"{a} is not {b}"


@test
def a_model_says_what_it_holds():
    with opened() as model:
        assert list(model.modalities) == ["m0", "m1", "m2"]
        m = model.modalities["m1"]
        assert m.shape == (8,) and m.plugin == "org.example.toy" and m.support == "box" and m.reads_text and m.draws
        assert model.latent_dim == 3 and model.private_dim == 2 and model.has_energy and model.iteration == 4
        assert model.metadata["plugin_versions"] == "m0=1.0,m1=1.0,m2=1.0"


@test
def samples_are_those_of_the_command():
    with opened() as model:
        x, g = model.sample(70), model.sample(70, generator=True)
        for i in (0, 63, 64, 69):
            for m in x:
                same(x[m][i], column(at("samples", "revised", f"{m}-{i:05}.txt")))
                same(g[m][i], column(at("samples", "generator", f"{m}-{i:05}.txt")))


@test
def arrays_of_the_commands_are_read():
    with opened() as model:
        x, g = model.sample(70), model.sample(70, generator=True)
        for m in x:
            same(np.load(at("arrays", "revised", f"{m}.npy")), x[m])
            same(np.load(at("arrays", "generator", f"{m}.npy")), g[m])
        z = np.load(at("arrays", "generator", "latents", "z.npy"))
        w = {m: np.load(at("arrays", "generator", "latents", f"w-{m}.npy")) for m in g}
        decoded = model.decode(z, w)
        for m in g:
            same(decoded[m], g[m])
        z = np.load(at("arrays", "revised", "latents", "z.npy"))
        w = {m: np.load(at("arrays", "revised", "latents", f"w-{m}.npy")) for m in g}
        before = model.sample(70, x_steps=0)
        for m, d in model.decode(z, w).items():
            same(d, before[m])
        given = np.load(at("made", "m1-given.npy"))
        made, z, w = model.translate({"m1": given}, draws=2, latents=True)
        assert given.shape == (8, 8) and sorted(made) == ["m0", "m2"]
        for m in made:
            same(np.load(at("made", f"{m}.npy")), made[m])
            same(np.load(at("made", "latents", f"w-{m}.npy")), w[m])
        same(np.load(at("made", "latents", "z.npy")), z)


@test
def the_joint_posterior_is_a_mixtures_mean_and_spread():
    loc = np.stack([np.load(at("latents", f"m{i}-z-mean.npy")) for i in range(3)]).astype(np.float64)
    scale = np.stack([np.load(at("latents", f"m{i}-z-scale.npy")) for i in range(3)]).astype(np.float64)
    spread = np.sqrt((scale**2 + loc**2).mean(0) - loc.mean(0) ** 2)
    assert np.allclose(np.load(at("latents", "joint-z-mean.npy")), loc.mean(0), rtol=1e-5, atol=1e-6)
    assert np.allclose(np.load(at("latents", "joint-z-scale.npy")), spread, rtol=1e-5)


@test
def bytes_are_as_good_as_a_file():
    with open(at("run", "checkpoints", "checkpoint-00000004.safetensors"), "rb") as file:
        model = mmcore.Model(file.read(), plugin_path=plugins)
    same(model.sample(2)["m0"], opened().sample(2)["m0"])


@test
def translations_are_those_of_the_command():
    with opened() as model:
        given = np.stack([model.read_file("m0", at("samples", "revised", f"m0-0000{i}.txt")) for i in range(2)])
        made = model.translate({"m0": given}, draws=3)
        assert sorted(made) == ["m1", "m2"] and made["m1"].shape == (6, 8)
        for i in range(2):
            for d in range(3):
                same(made["m2"][3 * i + d], column(at("translations", f"m2-{i:05}-{d:03}.txt")))


@test
def scores_are_those_of_the_command():
    with opened() as model:
        tuples = {m: model.read_file(m, at("samples", "revised", f"{m}-00001.txt")) for m in model.modalities}
        with open(at("score.txt")) as file:
            found, said = f"{model.score(tuples)[0]:.7g}", file.read().strip()
            assert found == said, f"{found} is not {said}"


@test
def latents_are_those_of_the_command():
    with opened() as model:
        x = np.stack([column(at("test", f"m1-{i:05}-given.txt")) for i in range(8)])
        encoded = model.encode({"m1": x})
        for kind, array in zip(("z-mean", "z-scale", "w-mean", "w-scale"), encoded):
            same(array["m1"], np.load(at("latents", f"m1-{kind}.npy")))


@test
def chains_move_rows_of_ones_own():
    with opened() as model:
        x = model.sample(5, generator=True)
        kept = {m: a.copy() for m, a in x.items()}
        moved = model.revise(x, held={"m1": [1, 0, 0, 0, 0]}, x_steps=3)
        for m in x:
            same(x[m], kept[m])
        same(moved["m1"][0], x["m1"][0])
        assert (moved["m0"] != x["m0"]).any()
        made, z, w = model.translate({"m0": x["m0"]}, latents=True, mean=True, z_steps=0, x_steps=0)
        same(model.decode(z, w)["m2"], made["m2"])
        end, _ = model.revise_latents({"m0": x["m0"]}, z, w, z_steps=4)
        same(end, model.translate({"m0": x["m0"]}, latents=True, mean=True, z_steps=4)[1])


@test
def words_and_pictures():
    with opened() as model:
        x = model.read_text("m0", "0 0.5 1 -1 0 0 0 0.25")
        assert x[1] == 0.5
        assert model.draw("m0", x)[0, 2].tolist() == [255, 255, 255]
        model.render("m0", x, at("one.txt"))
        same(column(at("one.txt")), x)


@test
def progress_log_and_cancelling():
    told, lines = [], []
    with opened(log=lambda level, text: lines.append(text)) as model:
        model.sample(100, progress=lambda done, total: told.append((done, total)))
        assert told == [(0, 100), (64, 100), (100, 100)], told
        assert any("gain" in line for line in lines), lines
        try:
            model.sample(100, progress=lambda done, total: True)
        except mmcore.Cancelled:
            return
        raise AssertionError("it was not cancelled")


@test
def models_on_two_threads():
    expected = opened().sample(20)["m2"]
    found = []

    def work():
        with opened(threads=2) as model:
            for _ in range(5):
                found.append(model.sample(20)["m2"])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 10
    for x in found:
        same(x, expected)


@test
def what_makes_no_sense_is_an_error():
    with opened() as model:
        for wrong, part in (
            (lambda: mmcore.Model(at("nowhere")), "nowhere"),
            (lambda: model.sample(1, number=70000), "options.number"),
            (lambda: model.score({"m0": np.zeros((1, 8))}), "x[1] (m1) is NULL"),
            (lambda: model.score({"m0": np.zeros((1, 9))}), "expected (n, 8)"),
            (lambda: model.translate({"m7": np.zeros((1, 8))}), "no modality 'm7'"),
            (lambda: model.translate({"m0": np.full((1, 8), np.nan)}), "is nan"),
            (lambda: model.translate({"m0": np.zeros((1, 8))}, expert="m1"), "options.expert"),
        ):
            try:
                wrong()
            except (mmcore.Error, ValueError, KeyError) as reason:
                assert part in str(reason), reason
                continue
            raise AssertionError(f"{part}: nothing was raised")
    try:
        model.sample(1)
    except ValueError as reason:
        assert "closed" in str(reason)


failed = 0
for number, function in enumerate(tests, 1):
    try:
        function()
        print(f"ok {number} - {function.__name__.replace('_', ' ')}")
    except Exception as reason:  # noqa: BLE001: whatever it is, it is the test's result
        print(f"not ok {number} - {function.__name__.replace('_', ' ')}\n# {type(reason).__name__}: {reason}")
print(f"1..{len(tests)}")
