"""HTTP: parse -> one use case -> response."""

from services.supervision.api import corrections, inspections, library, tasks

routers = (library.api, tasks.api, inspections.api, corrections.api)
