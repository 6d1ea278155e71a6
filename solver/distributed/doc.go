// Package distributed trains one model on several processes, on one machine or
// on many, over MPI.
//
// Every rank has a replica of the model and its own part of each batch. New
// wraps any gorgonia.Solver so that its step is made with the gradients averaged
// over all ranks. A step of package solver gives the same bits everywhere, so
// replicas that start equal and see the same average stay equal: neither values
// nor what solvers keep is ever exchanged.
//
//	world, err := distributed.Start()
//	if err != nil {
//		log.Fatal(err)
//	}
//	s := distributed.New(solver.NewFunnel(), world)
//	… // each rank computes gradients on its share of the batch, then:
//	if err := s.Step(model); err != nil {
//		world.Abort(err)
//	}
//	…
//	err = world.Close()
//
// The loss should be the mean over the rank's share, and the shares of one size:
// the average is then the gradient of the mean over the whole batch, and the
// solver's hyperparameters are what they would be on one rank.
//
// MPI is Open MPI, through cgo, and only in programs built with -tags mpi (on
// Debian it needs the packages libopenmpi-dev and openmpi-bin):
//
//	go build -tags mpi && mpirun -n 4 --bind-to none ./program
//
// Unless it is told so, mpirun binds a rank to one core, or to a few, and Go then
// uses no more. Where ranks share their cores with others, or there are more of
// them than cores, --mca mpi_yield_when_idle 1 keeps those that wait from holding
// up the rest.
//
// Built without the tag, Start returns an error that says so.
//
// Gradients are added up in the order of the ranks, in float64, by this package
// and not by MPI, whose order may change with its version and the network. So two
// runs with as many ranks give the same bits. With another number of ranks they
// agree to rounding.
package distributed
