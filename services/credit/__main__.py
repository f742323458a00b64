from libs.common.run import run
from services.credit.service import service

run(service)
