# Drawbridge: the only entry. `make demo` and `make test` set up what they need.

SWIFT   ?= swift
export SWIFT
PRODUCTS = $(shell scripts/release --show-bin-path)

.PHONY: help setup build deb test test-kernel demo lint format bench clean

help:
	@sed -n 's/^## //p' Makefile

## make setup    install the Debian packages that are missing (says which)
setup:
	@scripts/setup.sh

## make build    build the released binaries
build: setup
	@scripts/release -q
	@echo "built $(PRODUCTS)/drawbridge"

## make deb      build the Debian package, its debug symbols, and check it: .build/deb/
deb: build
	@scripts/package/deb $(PRODUCTS)/drawbridge .build/deb

## make test     set up, then run every test: unit, simulation, whole sites
test: setup lint
	@$(SWIFT) build --build-tests -q
	@scripts/test

## make test-kernel  the package's whole life under systemd, in a kernel of its own: install, fail over, crash, purge
test-kernel: deb
	@scripts/kernel/build
	@scripts/kernel/life

## make demo     set up, build, and play the whole story in an emulated site (HOLD=1: leave the site running)
demo: build
	@$(PRODUCTS)/drawbridge-site demo $(if $(HOLD),--hold)

## make lint     formatting and style, as committed in .swift-format
lint:
	@$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests

## make format   put the sources into that format
format:
	@$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

## make bench    measure the figures of the README, and write them there (12 minutes)
bench: build
	@bench/figures.sh $(PRODUCTS)

## make clean    remove what was built
clean:
	@rm -rf .build
