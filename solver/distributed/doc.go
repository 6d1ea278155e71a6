// Package distributed trains one model on several processes, on one machine or
// on many, over MPI.
//
// Every rank has a replica of the model and its own part of each batch. New wraps any
// gorgonia.Solver so that its step uses the gradients averaged over all ranks. A step of package
// solver gives the same bits everywhere, so replicas that start equal and see the same average stay
// equal: steps exchange neither values nor solver state.
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
// The loss should be the mean over the rank's share, and all shares of one size: then the average
// is the gradient of the mean over the whole batch, and the hyperparameters mean the same as on one
// rank.
//
// MPI is Open MPI, through cgo, and only in programs built with -tags mpi (on
// Debian it needs the packages libopenmpi-dev and openmpi-bin):
//
//	go build -tags mpi && mpirun -n 4 --bind-to none ./program
//
// By default mpirun binds a rank to one core, or to a few, and Go then uses no more; hence
// --bind-to none. Where ranks outnumber the cores or share them with other programs, --mca
// mpi_yield_when_idle 1 keeps waiting ranks from slowing the others.
//
// Built without the tag, Start returns an error that says so.
//
// Gradients are added up in the order of the ranks, in float64, by this package and not by MPI,
// whose order may change with its version and the network. So two runs with the same number of
// ranks give the same bits; with another number they agree to rounding.
package distributed
