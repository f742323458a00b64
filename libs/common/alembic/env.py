from libs.common.migration import run_environment

run_environment()
