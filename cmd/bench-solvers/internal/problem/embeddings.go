package problem

import (
	"math"

	G "gorgonia.org/gorgonia"
)

// factorization predicts ratings as the inner product of a user's and an item's
// embedding, plus a bias for each. A batch touches few of the rows; popular items
// come often. Score: the mean squared error of each batch before it is learned from.
func factorization(t *Task) {
	const users, items, width, batch = 200, 300, 8, 64
	who, whos := t.input("user", batch, users) // one-hot, so that a product looks rows up
	what, whats := t.input("item", batch, items)
	y, ys := t.input("rating", batch, 1)
	u, v := t.param("u", t.normal(0.1), users, width), t.param("v", t.normal(0.1), items, width)
	bu, bv := t.param("bu", zeros, users, 1), t.param("bv", zeros, items, 1)
	product := G.Must(G.HadamardProd(G.Must(G.Mul(who, u)), G.Must(G.Mul(what, v))))
	z := G.Must(G.Reshape(G.Must(G.Sum(product, 1)), []int{batch, 1}))
	z = G.Must(G.Add(z, G.Must(G.Add(G.Must(G.Mul(who, bu)), G.Must(G.Mul(what, bv))))))
	t.loss = meanSquare(z, y)

	const rank = 4
	taste, trait := t.vector(users*rank, 1), t.vector(items*rank, 1)
	t.next = func(int) {
		clear(whos)
		clear(whats)
		for i := range batch {
			user, item := t.rng.IntN(users), int(items*math.Pow(t.rng.Float64(), 2))
			whos[i*users+user], whats[i*items+item] = 1, 1
			rating := 0.3 * t.rng.NormFloat64()
			for k := range rank {
				rating += taste[user*rank+k] * trait[item*rank+k] / 2
			}
			ys[i] = float32(rating)
		}
	}
}
