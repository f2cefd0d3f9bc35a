// SPDX-License-Identifier: MIT
// C++17: lambdas, results, exceptions that arrive where they are waited for.
#include <iostream>
#include <stdexcept>
#include <string>

#include <inorder/async.hpp>

int main()
{
	inorder::domain start;
	auto answer = start.run([] { return 6 * 7; });

	for (int disk = 0; disk < 4; disk++)
		start.schedule_ordered(
			[disk] {
				if (disk == 2)
					throw std::runtime_error("disk 2 does not answer");
				return "disk " + std::to_string(disk);
			},
			[](std::string &&name) { std::cout << name << " is ready\n"; });
	try {
		start.wait();
	} catch (const std::exception &error) {
		std::cout << "failed: " << error.what() << "\n";
	}
	inorder::for_each_ordered(
		3, [](std::size_t i) { return i * i; },
		[](std::size_t i, std::size_t square) { std::cout << i << " squared is " << square << "\n"; });
	std::cout << "the answer is " << answer.get() << "\n";
}
