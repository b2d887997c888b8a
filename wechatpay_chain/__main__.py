"""``python -m wechatpay_chain``: the same program as ``wxpay``."""

from .cli import main

if __name__ == "__main__":
    main()
