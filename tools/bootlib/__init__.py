# SPDX-License-Identifier: MIT
"""The machine that make boot and the boot tests use. docs/BOOT.md describes it."""
