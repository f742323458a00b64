"""python -m services.risk: the service. With fit, backtest, counterfactual or example: the learning tool beside it."""

import sys

LEARNING = {"fit", "backtest", "counterfactual", "example"}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in LEARNING:
        from services.risk.learning.commands import main

        sys.exit(main(sys.argv[1:]))

    from libs.common.run import run
    from services.risk.service import service

    run(service)
