"""The networks of `mmcore bench` and of plugins/mnist in PyTorch, for torch_bench.py."""
import torch
import torch.nn.functional as F
from torch import nn


def decoder(width, latent, tanh):
    """plugins/mnist net = conv: latent -> [4w,7,7] -> [2w,14,14] -> [w,28,28] -> [3,28,28]."""
    layers = [
        nn.Linear(latent, 7 * 7 * 4 * width), nn.ReLU(inplace=True), nn.Unflatten(1, (4 * width, 7, 7)),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU(inplace=True),
        nn.Conv2d(width, 3, 3, 1, 1),
    ]
    return nn.Sequential(*layers, *([nn.Tanh()] if tanh else []))


class Encoder(nn.Module):
    """plugins/mnist net = conv: two convolutions, a hidden layer, location and scale."""

    def __init__(self, width, latent):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.ReLU(inplace=True),
            nn.Flatten(), nn.Linear(7 * 7 * 2 * width, 8 * width), nn.ReLU(inplace=True))
        self.heads = nn.Linear(8 * width, 2 * latent)

    def forward(self, x):
        loc, raw = self.heads(self.body(x)).chunk(2, 1)
        return loc, F.softplus(raw) + 1e-6


class Residual(nn.Module):
    """plugins/common com_residual: x + 0.1 conv(leaky(conv(leaky(x)))), with a 1x1 shortcut where channels change."""

    def __init__(self, inputs, outputs):
        super().__init__()
        hidden = min(inputs, outputs)
        self.conv1 = nn.Conv2d(inputs, hidden, 3, 1, 1)
        self.conv2 = nn.Conv2d(hidden, outputs, 3, 1, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        h = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))
        return torch.add(self.shortcut(x), h, alpha=0.1)


def resnet_decoder(latent):
    """plugins/mnist net = resnet: latent -> [256,7,7] -> [128,14,14] -> [64,28,28] -> [3,28,28]."""
    return nn.Sequential(
        nn.Linear(latent, 7 * 7 * 256), nn.Unflatten(1, (256, 7, 7)),
        Residual(256, 128), nn.Upsample(scale_factor=2), Residual(128, 64), nn.Upsample(scale_factor=2), Residual(64, 64),
        nn.LeakyReLU(0.2), nn.Conv2d(64, 3, 3, 1, 1))


class ResnetEncoder(nn.Module):
    """plugins/mnist net = resnet: three residual blocks, average pools of 3 with stride 2 that count padding."""

    def __init__(self, latent):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1), Residual(64, 64), nn.AvgPool2d(3, 2, 1), Residual(64, 128), nn.AvgPool2d(3, 2, 1),
            Residual(128, 256), nn.Flatten())
        self.loc, self.raw = nn.Linear(7 * 7 * 256, latent), nn.Linear(7 * 7 * 256, latent)

    def forward(self, x):
        h = self.body(x)
        return self.loc(h), F.softplus(self.raw(h)) + 1e-6


class Energy(nn.Module):
    """core/model/energy.c: features of each view, joined; a residual trunk; a head. Spectral normalisation divides each
    weight by its largest singular value, tracked by one power iteration an update and held in chains."""

    def __init__(self, views, channels, bias, nef, blocks=4, shortcut=3, pool="mean", head="linear", spectral=False):
        super().__init__()
        self.pool, self.head_kind, self.blocks, self.n_views = pool, head, blocks, views
        self.layers = nn.ModuleDict()
        for m in range(views):
            self.layers[f"features{m}"] = nn.Conv2d(3, channels, 3, 1, 1, bias=bias)
        inputs = views * channels
        for i in range(blocks):
            self.layers[f"{i}conv1"] = nn.Conv2d(inputs, nef, 3, 1, 1, bias=False)
            self.layers[f"{i}conv2"] = nn.Conv2d(nef, nef, 3, 1, 1, bias=False)
            if i < 2 or inputs != nef:
                self.layers[f"{i}shortcut"] = nn.Conv2d(inputs, nef, shortcut, 1, shortcut // 2, bias=False)
            inputs = nef
        if head == "mlp":
            self.layers["hidden"] = nn.Linear(nef, nef)
        self.layers["energy"] = nn.Linear(nef, 1, bias=False)
        self.vectors = {}
        if spectral:
            for name, layer in self.layers.items():
                self.vectors[name] = F.normalize(torch.randn(layer.weight.shape[0]), dim=0)

    @torch.no_grad()
    def power_iteration(self):
        with torch.autocast(next(self.parameters()).device.type, enabled=False):
            for name, u in self.vectors.items():
                w = self.layers[name].weight.flatten(1)
                v = F.normalize(w.t() @ u, dim=0)
                self.vectors[name] = F.normalize(w @ v, dim=0)

    def weights(self, memory_format=torch.contiguous_format):
        """Every layer's weight as the network uses it, in float32; with gradients outside torch.no_grad()."""
        with torch.autocast(next(self.parameters()).device.type, enabled=False):
            return self.weights_in_float32(memory_format)

    def weights_in_float32(self, memory_format):
        result = {}
        for name, layer in self.layers.items():
            w = layer.weight
            if name in self.vectors:
                u, flat = self.vectors[name], w.flatten(1)
                with torch.no_grad():
                    v = F.normalize(flat.t() @ u, dim=0)
                w = w / torch.dot(u, flat @ v)
            result[name] = w.contiguous(memory_format=memory_format) if w.dim() == 4 else w
        return result

    def forward(self, xs, weights):
        def conv(x, name):
            return F.conv2d(x, weights[name], self.layers[name].bias, 1, self.layers[name].padding)

        h = torch.cat([conv(x, f"features{m}") for m, x in enumerate(xs)], 1)
        for i in range(self.blocks):
            first, down = i == 0, i < 2
            r = conv(F.relu(conv(h if first else F.relu(h), f"{i}conv1")), f"{i}conv2")
            if down:
                r = F.avg_pool2d(r, 2)
            if f"{i}shortcut" in weights:
                h = F.avg_pool2d(h, 2) if down and first else h
                h = conv(h, f"{i}shortcut")
                h = F.avg_pool2d(h, 2) if down and not first else h
            h = r + h
        h = F.relu(h).sum((2, 3)) if self.pool == "sum" else F.relu(h).mean((2, 3))
        if self.head_kind == "mlp":
            h = F.leaky_relu(F.linear(h, weights["hidden"], self.layers["hidden"].bias), 0.2)
        return F.linear(h, weights["energy"]).squeeze(1)


def frozen(module):
    for p in module.parameters():
        p.requires_grad_(False)
    return module
