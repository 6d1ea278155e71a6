# All modules. Those other than the main one are separate so that its users do not inherit their dependencies.
MODULES = . cmd/plot-rotmnist cmd/train-rotmnist/browsertest solver/internal/kernel/_asm solver/blas/_asm

STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
VULNDB ?= https://vuln.go.dev
FUZZTIME ?= 30s
# Where the four MNIST files are, for the figures of cmd/train-rotmnist/README.md.
MNIST ?= ../shared/mnist

.PHONY: test race mpi bench problems lint cross vuln asm fingerprint crash soak fuzz plot sweep uplot

# Each module's tests; those of solver begin first, since they take longest. make lint runs go vet.
test:
	go test -vet=off ./solver ./...
	@set -e; for m in $(filter-out .,$(MODULES)); do (cd $$m && go test -vet=off ./...); done

# The short tests with the race detector, which makes learning seven times as slow.
race:
	CGO_ENABLED=1 go test -race -short ./...

MPI = ./solver/distributed ./cmd/train-rotmnist/...
# Ranks over Open MPI; needs Debian's libopenmpi-dev and openmpi-bin.
mpi:
	go vet -tags mpi $(MPI)
	$(STATICCHECK) -tags mpi $(MPI)
	go test -count 1 -tags mpi ./solver/distributed
	go test -count 1 -tags mpi -run 'Rank' ./cmd/train-rotmnist ./cmd/train-rotmnist/internal/experiment

# What a step costs, against Adam and against C (needs gcc), matrix products against
# gonum's and OpenBLAS's (needs gcc and libopenblas-dev), then the other benchmarks.
bench:
	@cd solver && go run ./_bench
	@cd solver/blas && go run ./_bench
	@go test -run '^$$' -bench . ./solver/internal/... ./mnist

# Many small problems: ours, untuned, against tuned peers and those that need no learning rate. Runs in
# results/ are not made again; delete them when a solver has changed.
PROBLEMS = results/problems.jsonl
problems:
	@mkdir -p results && go run ./cmd/bench-solvers -out $(PROBLEMS) -tuned -seeds 1..3 -solvers funnel,funneladam,adam,prodigy,dog,schedulefree

lint:
	@set -e; files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt would change: $$files"; exit 1; fi
	@set -e; for m in $(MODULES); do (cd $$m && go mod tidy -diff && go vet ./... && $(STATICCHECK) ./...); done

# Builds and vets every package and its tests, for systems that are not tested here. The modules left out are
# tools for developers.
SYSTEMS = windows/amd64 darwin/amd64 darwin/arm64 linux/arm64 linux/386 freebsd/amd64
cross:
	@set -e; for s in $(SYSTEMS); do for m in . cmd/plot-rotmnist; do \
		echo "$$s $$m"; (cd $$m && CGO_ENABLED=0 GOOS=$${s%/*} GOARCH=$${s#*/} sh -c 'go build -o /dev/null ./... && go vet ./...'); done; done

# Known vulnerabilities in what we call, Go's own library included. VULNDB may be a copy of the database:
# file:///...
vuln:
	@status=0; for m in $(MODULES); do (cd $$m && $(GOVULNCHECK) -db $(VULNDB) ./...) || status=1; done; exit $$status

# The assembly, from its generators.
asm:
	cd solver/internal/kernel/_asm && go run . -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg kernel
	cd solver/blas/_asm && go run . -out ../vectors_amd64.s -stubs ../vectors_amd64.go -pkg blas

# The same bits in every build; arm64 where qemu-user is installed. make test compares several cores with one.
SAMEBITS = -run TheSameBits -skip Everywhere/several ./solver ./solver/blas ./mnist ./cmd/train-rotmnist
fingerprint:
	go test $(SAMEBITS)
	go test -tags purego $(SAMEBITS)
	GOAMD64=v3 go test $(SAMEBITS)
	GOAMD64=v3 go test -tags purego $(SAMEBITS)
	@if command -v qemu-aarch64 >/dev/null; then GOARCH=arm64 CGO_ENABLED=0 go test -exec qemu-aarch64 $(SAMEBITS); \
	else echo "arm64: skipped; install qemu-user"; fi

# 200,000 steps of a small network with each of four solvers: memory, goroutines, time a step. Then as many
# steps of train-rotmnist's network at one angle, and how long it takes to learn the next. FUNNEL_MNIST may
# name real digits.
soak:
	FUNNEL_SOAK=200000 go test -v -count 1 -timeout 0 -run 'LongRun|LongQuiet' ./cmd/train-rotmnist/internal/experiment

# A run that is killed again and again, at random moments, ends with the results of one that is not.
KILLS ?= 50
crash:
	FUNNEL_KILLS=$(KILLS) go test -v -count 1 -run KilledAgain ./cmd/train-rotmnist

# The report's charts: uPlot from the npm registry (needs npm and openssl). A new
# version's sum is what npm view uplot@VERSION dist.integrity says, after sha512-.
UPLOT     = 1.6.32
UPLOT_SUM = KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==
uplot:
	@set -e; to=$$PWD/cmd/train-rotmnist/internal/report/uplot; dir=$$(mktemp -d); trap 'rm -r '$$dir EXIT; cd $$dir; \
	npm pack --silent uplot@$(UPLOT) >/dev/null; \
	sum=$$(openssl dgst -sha512 -binary uplot-$(UPLOT).tgz | openssl base64 -A); \
	if [ "$$sum" != "$(UPLOT_SUM)" ]; then echo "uplot@$(UPLOT) has the sum $$sum, not UPLOT_SUM; nothing was written"; exit 1; fi; \
	tar xzf uplot-$(UPLOT).tgz; cd package; cp LICENSE dist/uPlot.iife.min.js dist/uPlot.min.css $$to

# Every fuzz target for FUZZTIME, little of it spent on minimizing inputs.
fuzz:
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | while read file; do \
		for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
			echo "$$f in $$file"; (cd $$(dirname $$file) && go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .); \
		done; done

TRAIN = go run ./cmd/train-rotmnist
PLOT  = cd cmd/plot-rotmnist && go run .

# The pictures of README.md and cmd/train-rotmnist/README.md: the main job's CSV, and make sweep's runs if they are there.
plot:
	@mkdir -p results && $(TRAIN) -report results/run.html && $(TRAIN) -solvers funneladam,funnel,adam,momentum:lr=0.1 -csv results/run.csv
	@$(PLOT) stream ../../results/run.csv rotmnist.png && echo cmd/plot-rotmnist/rotmnist.png
	@$(PLOT) recovery ../../results/run.csv recovery.png && echo cmd/plot-rotmnist/recovery.png
	@if command -v chromium >/dev/null; then \
		chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=5000 --window-size=1280,1510 \
			--screenshot=cmd/train-rotmnist/report.png file://$(CURDIR)/results/run.html 2>/dev/null && echo cmd/train-rotmnist/report.png; \
	else echo "report.png: left as it is; install chromium"; fi
	@if [ -f $(SWEEP) ]; then $(PLOT) tolerance ../../$(SWEEP) tolerance.png && echo cmd/plot-rotmnist/tolerance.png; \
	else echo "tolerance.png: left as it is; make sweep makes the runs for it"; fi

# The runs behind cmd/train-rotmnist/README.md, on real MNIST with three seeds: protocols A and B, each solver at
# thirteen learning rates and the peers at a few more; learning rates that decay; and streams and
# networks of other kinds (the largest with one seed). Runs in results/ are not made again; delete them when a
# solver has changed. SWEEPFLAGS may add flags, such as -shard 0/4.
SWEEP   = results/sweep.jsonl
SOLVERS = funnel,funneladam,adam,momentum
TURNS   = -angles 0,60,120,180
OTHERS  = results/others.jsonl
RUN     = results/train-rotmnist sweep -data $(MNIST) -seeds 1..3 $(SWEEPFLAGS)
PEERS   = adam:lr=0.002,adam:lr=0.005,momentum:lr=0.02,momentum:lr=0.05,momentum:lr=0.07
FEW     = funnel,funneladam,adam:lr=0.001,adam:lr=0.003,adam:lr=0.01,momentum:lr=0.03,momentum:lr=0.1
sweep:
	@mkdir -p results && go build -o results/train-rotmnist ./cmd/train-rotmnist
	@set -e; for protocol in '-steps 400 -batch 128' '-steps 1500 -batch 32'; do \
		$(RUN) -out $(SWEEP) $(TURNS) $$protocol -solvers $(SOLVERS) -lr 1e-6..1,3e-6..0.3; \
		$(RUN) -out $(SWEEP) $(TURNS) $$protocol -solvers $(PEERS); done
	@$(RUN) -out $(OTHERS) $(TURNS) -solvers adam:lr=0.003,adam:lr=0.01,momentum:lr=0.1,momentum:lr=0.3 -vary decay=cosine,inverse,step
	@set -e; for protocol in '-drift 0.1 -steps 1600' '$(TURNS) -hidden 13'; do $(RUN) -out $(OTHERS) $$protocol -solvers $(FEW); done
	@$(RUN) -out $(OTHERS) $(TURNS) -hidden 800,400 -solvers $(FEW) -seeds 1
	@results/train-rotmnist table $(SWEEP) $(OTHERS)
