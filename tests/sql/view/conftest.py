from tests.warehouse.shop import migrated, shop

__all__ = ["migrated", "shop"]
