from kit_py.fixtures import folder, stand_in  # noqa: F401
