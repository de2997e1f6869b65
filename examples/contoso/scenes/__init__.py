"""Contoso, scene by scene: each module places resources and says next to each what an auditor must conclude."""
