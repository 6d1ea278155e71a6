"""Times a training step of the network 784-128-64-10 with Adam in PyTorch, for a
batch of 128: prints the fastest and the median of many steps, in ms. The argument
is the number of threads.
"""
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
network = torch.nn.Sequential(
    torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
)
optimizer = torch.optim.Adam(network.parameters())
loss = torch.nn.CrossEntropyLoss()
images, labels = torch.rand(128, 784), torch.arange(128) % 10
times = []
for _ in range(2000):
    start = time.perf_counter()
    optimizer.zero_grad()
    loss(network(images), labels).backward()
    optimizer.step()
    times.append(time.perf_counter() - start)
times.sort()
print("%.4f %.4f" % (times[0] * 1e3, times[len(times) // 2] * 1e3))
