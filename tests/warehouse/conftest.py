from tests.warehouse.shop import shop

__all__ = ["shop"]
