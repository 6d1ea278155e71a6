"""Times a training step of the network 784-128-64-10 with Adam in PyTorch, for a
batch of 128, as the Go program beside it prints one: the median of many steps, in
ns. The argument is the number of threads.
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
for _ in range(1000):
    start = time.perf_counter_ns()
    optimizer.zero_grad()
    loss(network(images), labels).backward()
    optimizer.step()
    times.append(time.perf_counter_ns() - start)
times.sort()
print("step", times[len(times) // 2])
