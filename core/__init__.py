"""Settings, database, tables, errors, encryption, audit trail, calendar and parallel work: what every other room stands on."""
