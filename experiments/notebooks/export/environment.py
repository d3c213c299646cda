"""The environment of a process that only shows: the read-only latch, and no key of a cloud or of SkyPilot.

W&B's key stays, for runs are read with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from experiments.clock import IN_LOG
from experiments.permits import READ_ONLY

_CLOUDS = (
    *("AWS_", "AZURE_", "ARM_", "GOOGLE_", "GCP_", "GCLOUD_", "CLOUDSDK_", "OCI_", "IBMCLOUD_", "CLOUDFLARE_"),
    *("LAMBDA_", "RUNPOD_", "NEBIUS_", "VAST_", "FLUIDSTACK_", "CUDO_", "PAPERSPACE_", "DO_", "DIGITALOCEAN_"),
    *("SKYPILOT_", "SKY_", "KUBE", "SSH_AUTH_SOCK"),
)
# Where the clouds' own tools look for keys when no variable names them.
_NO_FILES = {
    **dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG"), os.devnull),
    **dict.fromkeys(("CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"), os.path.join(os.devnull, "none")),  # noqa: PTH118 - a text
    "AWS_EC2_METADATA_DISABLED": "true",
}


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a process that writes a log and may launch nothing."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_CLOUDS)}
    return {**kept, **_NO_FILES, READ_ONLY: "1", IN_LOG: "1", "MPLBACKEND": "Agg"}
