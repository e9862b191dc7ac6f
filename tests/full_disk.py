"""A disk that is full for a while."""

import errno
import os


def full_at(monkeypatch, checkpoint, epoch):
    """From now on, a checkpoint of this class cannot be saved after this epoch, and can after all others."""
    save = checkpoint.save

    def save_but_for_one(self, path):
        if self.epochs == epoch:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(self, path)

    monkeypatch.setattr(checkpoint, "save", save_but_for_one)
