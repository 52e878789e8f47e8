//! The Azure Blobs driver against Azurite, Microsoft's own emulator, which verifies every signature.
