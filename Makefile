# 声環 Koenowa. `make` lists the targets; everything lives in .venv.
PYTHON ?= python3
SERVE ?= 1
BIN := .venv/bin
# .venv is ready when this file is newer than what it was made from.
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help env demo serve test check format bench lock vendor pictures sample clean

help: ## この一覧 / list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## 環境を作る / create .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11〜3.13 が要ります（PYTHON=python3.12 make … で選べます）"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## 見本の市を取り込み、画面を出す（SERVE=0 なら出さない） / the sample city, end to end
	$(BIN)/koe demo $(if $(filter 0,$(SERVE)),--no-serve,)

serve: $(READY) ## 画面と API を出し、裏で動く処理も行う / serve the pages, with a worker
	$(BIN)/koe serve --worker

test: $(READY) ## すべてのテスト（SQLite と PostgreSQL、Chromium があれば画面も） / the whole suite
	$(BIN)/python -m pytest -n auto --cov --cov-report=term

check: $(READY) ## 書式・型・依存の向き・文書 / lint, types, import contracts, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/python tools/vendor.py --check
	$(BIN)/python -m pytest -q tests/docs tests/snapshots

format: $(READY) ## 書式を直す / format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## 正しさと速さを測り、docs/benchmarks.md を書く / measure
	$(BIN)/python bench/quality.py
	$(BIN)/python bench/opinions.py
	$(BIN)/python bench/document.py

lock: $(READY) ## requirements.lock を書き直す / resolve again
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-build --no-header --quiet --upgrade -o requirements.lock

vendor: $(READY) ## 画面の部品を取り直す / fetch the front-end files again
	$(BIN)/python tools/vendor.py

pictures: $(READY) ## README の画面の絵を撮り直す / take the README's pictures again
	$(BIN)/python tools/pictures.py

sample: $(READY) ## 見本の記録を作り直す / write the sample city's records again
	$(BIN)/python data/sample/make_sample.py

clean: ## 環境と作業データを消す / remove .venv and var
	rm -rf .venv var
