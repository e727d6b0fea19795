"""Batches of images as the PyTorch sides of the comparisons make them."""
import torch
import torch.nn.functional as F

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STD = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)
PAD = 4                 # pixels on each side of the random crop


def prepare(images, indices, generator):
    """uint8 [N, 3, 32, 32] -> standardized, flipped and cropped batch [B, 3072], without a loop over samples."""
    x = (images[indices].float() / 255 - MEAN) / STD
    batch = len(indices)
    flip = torch.rand(batch, generator=generator) < 0.5
    x = torch.where(flip.view(-1, 1, 1, 1), x.flip(3), x)
    x = F.pad(x, (PAD, PAD, PAD, PAD))
    top, left = torch.randint(2 * PAD + 1, (2, batch, 1), generator=generator)
    rows, columns = top + torch.arange(32), left + torch.arange(32)
    x = x.gather(2, rows.view(batch, 1, 32, 1).expand(-1, 3, -1, 32 + 2 * PAD))
    return x.gather(3, columns.view(batch, 1, 1, 32).expand(-1, 3, 32, -1)).reshape(batch, 3 * 32 * 32)
