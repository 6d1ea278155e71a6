# Modules that are not part of the main one, so that its users inherit nothing from them.
MODULES = . cmd/plot-rotmnist solver/internal/kernel/_asm

STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 30s
# Where the four MNIST files are, for the figures of the README.
MNIST ?= ../shared/mnist

.PHONY: test bench lint asm fingerprint fuzz plot results

# Each module's tests, with the race detector.
test:
	@set -e; for m in $(MODULES); do (cd $$m && go test -race ./...); done

# What a step costs, against Adam and against C (needs gcc), then the other benchmarks.
bench:
	@cd solver && go run ./_bench
	@go test -run '^$$' -bench . ./solver/internal/... ./mnist

lint:
	@set -e; files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt would change: $$files"; exit 1; fi
	@set -e; for m in $(MODULES); do (cd $$m && go mod tidy -diff && go vet ./... && $(STATICCHECK) ./...); done

# The AVX2 kernels, from their generator.
asm:
	cd solver/internal/kernel/_asm && go run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg kernel

# The same bits in every build; arm64 where qemu-user is installed.
fingerprint:
	go test -run TheSameBits ./solver
	go test -tags purego -run TheSameBits ./solver
	GOAMD64=v3 go test -run TheSameBits ./solver
	GOAMD64=v3 go test -tags purego -run TheSameBits ./solver
	@if command -v qemu-aarch64 >/dev/null; then set -e; file=$$(mktemp); trap 'rm '$$file EXIT; \
		GOARCH=arm64 CGO_ENABLED=0 go test -c -o $$file ./solver && cd solver && qemu-aarch64 $$file -test.run TheSameBits; \
	else echo "arm64: skipped; install qemu-user"; fi

# Every fuzz target for FUZZTIME, which is not to be spent on shorter inputs.
fuzz:
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | while read file; do \
		for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
			echo "$$f in $$file"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$(dirname $$file); \
		done; done

# The README's picture: the main job, with its CSV drawn.
plot:
	@dir=$$(mktemp -d) && trap 'rm -r '$$dir EXIT && set -e && \
		go run ./cmd/train-rotmnist -csv $$dir/run.csv && \
		cd cmd/plot-rotmnist && go run . $$dir/run.csv rotmnist.png && echo "cmd/plot-rotmnist/rotmnist.png"

# The README's tables on real MNIST: three seeds, each solver at several learn rates.
RATES  = 0.0001 0.001 0.01 0.1
TUNING = funnel:lr=0.3,funnel:lr=1,adam:lr=0.0003,adam:lr=0.001,adam:lr=0.003,adam:lr=0.01,momentum:lr=0.03,momentum:lr=0.3,momentum:lr=1
comma := ,
empty :=
solvers = $(subst $(empty) $(empty),$(comma),$(foreach r,$(RATES),funnel:lr=$(r) momentum:lr=$(r)))
results:
	@dir=$$(mktemp -d) && trap 'rm -r '$$dir EXIT && set -e && go build -o $$dir/train ./cmd/train-rotmnist && \
		for seed in 1 2 3; do $$dir/train -quiet -data $(MNIST) -angles 0,60,120,180 -seed $$seed \
			-solvers $(solvers),$(TUNING) -json $$dir/$$seed.json >/dev/null; done; $$dir/train table $$dir/*.json
