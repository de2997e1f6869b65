"""The Azure Logging Auditor: could we reconstruct an attack from the logs this estate keeps?"""

__version__ = "0.1.0"
