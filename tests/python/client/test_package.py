"""What `import vouch` gives."""

import subprocess
import sys

import pytest

import vouch
from vouch.client import Answer, Client, SyncClient, TrustGap


def test_names() -> None:
    assert (vouch.Client, vouch.SyncClient, vouch.Answer) == (Client, SyncClient, Answer)
    assert vouch.TrustGap is TrustGap
    with pytest.raises(AttributeError, match="nope"):
        _ = vouch.nope


def test_a_node_or_relayer_does_not_pay_for_the_client() -> None:
    program = "import sys, vouch.protocol.claim; print('vouch.client' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
