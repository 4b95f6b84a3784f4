module gaud/tests/parsers

go 1.21
