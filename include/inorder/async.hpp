/* SPDX-License-Identifier: MIT */
/*
 * inorder for C++17: domains that wait at the end of their scope, lambdas, results, and exceptions that arrive where
 * calls are waited for. Header only; link with libinorder.
 *
 * Ordering, contexts and what a cookie is are those of <inorder/async.h>.
 */
#ifndef INORDER_ASYNC_HPP
#define INORDER_ASYNC_HPP

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <inorder/async.h>
#include <inorder/patterns.h>

namespace inorder
{

using cookie_t = async_cookie_t;

/** Throws std::system_error for an error of the library, with what was being done; 0 is none. */
inline void check(int error, const char *what)
{
	if (error)
		throw std::system_error(-error, std::generic_category(), what);
}

class domain;

/* What the data of every call of this header is. Private. */
struct async_call {
	virtual ~async_call() = default;
	virtual void run(cookie_t cookie) noexcept = 0;
	virtual void retire(cookie_t) noexcept
	{
	}
	/** The last thing: the call has run, or was taken back. */
	virtual void release() noexcept
	{
		delete this;
	}

	static void run_first(void *data, cookie_t cookie) noexcept
	{
		static_cast<async_call *>(data)->run(cookie);
	}
	static void run_only(void *data, cookie_t cookie) noexcept
	{
		static_cast<async_call *>(data)->run(cookie);
		static_cast<async_call *>(data)->release();
	}
	static void run_last(void *data, cookie_t cookie) noexcept
	{
		static_cast<async_call *>(data)->retire(cookie);
		static_cast<async_call *>(data)->release();
	}
	static void take_back(void *data, cookie_t) noexcept
	{
		static_cast<async_call *>(data)->release();
	}
};

/** The result of one call. It waits for the call at the end of its scope; move it, but not while others use it. */
template <class T> class result
{
      public:
	result(result &&) noexcept = default;
	result &operator=(result &&other) noexcept
	{
		if (this != &other) {
			finish();
			state_ = std::move(other.state_);
		}
		return *this;
	}
	result(const result &) = delete;
	result &operator=(const result &) = delete;
	~result()
	{
		finish();
	}

	/**
	 * Waits for the call and returns its value, which is moved out: ask once.
	 *
	 * Throws what the call threw; std::system_error with ECANCELED if the call was taken back, and with EDEADLK if
	 * the caller would wait for itself.
	 */
	T get()
	{
		check(async_synchronize_call(state_->cookie, state_->domain), "inorder::result::get()");
		check(state_->ran ? 0 : -ECANCELED, "inorder::result::get()");
		if (state_->thrown)
			std::rethrow_exception(state_->thrown);
		if constexpr (!std::is_void_v<T>)
			return std::move(*state_->value);
	}

	/** The call's place in the order. */
	cookie_t cookie() const noexcept
	{
		return state_->cookie;
	}

      private:
	friend class domain;
	struct nothing {
	};
	using stored = std::conditional_t<std::is_void_v<T>, nothing, T>;
	struct state : async_call {
		async_entry entry;
		async_domain *domain;
		cookie_t cookie;
		bool ran = false;
		std::exception_ptr thrown;
		std::optional<stored> value;
		void release() noexcept override
		{
		} /* the result owns it */
	};
	template <class F> struct state_of final : state {
		F func;
		explicit state_of(F &&from) : func(std::move(from))
		{
		}
		void run(cookie_t) noexcept override
		{
			this->ran = true;
			try {
				if constexpr (std::is_void_v<T>)
					func();
				else
					this->value.emplace(func());
			} catch (...) {
				this->thrown = std::current_exception();
			}
		}
	};

	explicit result(std::unique_ptr<state> made, async_domain *domain) : state_(std::move(made))
	{
		state_->domain = domain;
		state_->cookie = async_schedule_entry(&state_->entry, async_call::run_only, nullptr,
						      static_cast<async_call *>(state_.get()), domain);
	}
	void finish() noexcept
	{
		/* A call that is in progress after the wait uses the state: leaving that is the lesser evil. */
		if (state_ && async_synchronize_call(state_->cookie, state_->domain) == -EDEADLK)
			(void)state_.release();
	}

	std::unique_ptr<state> state_;
};

/** Whether waits for every domain cover this one. */
enum class kind { registered, exclusive };

/**
 * A domain: calls that are waited for together. The end of its scope waits for them too, but drops their exceptions:
 * call wait() to see these. Neither copied nor moved.
 */
class domain
{
      public:
	/** name, of traces, must live as long as the domain. */
	explicit domain(kind which = kind::exclusive, const char *name = nullptr) noexcept
	{
		if (which == kind::registered)
			domain_ = ASYNC_DOMAIN_NAMED_INIT(name);
		else
			domain_ = ASYNC_DOMAIN_EXCLUSIVE_NAMED_INIT(name);
	}
	domain(const domain &) = delete;
	domain &operator=(const domain &) = delete;
	/** A destructor that a call of the domain runs cannot wait for that call: the program ends. */
	~domain()
	{
		if (async_synchronize_full_domain(&domain_))
			std::terminate();
	}

	/**
	 * Schedules func(), whose return value is dropped. An exception arrives at wait().
	 *
	 * Throws std::bad_alloc, and then nothing was scheduled.
	 */
	template <class F> cookie_t schedule(F func)
	{
		return start(new call<F, nothing>(*this, std::move(func), nothing{}), false);
	}

	/**
	 * Schedules func(), which runs out of order, and retire(value), or retire() if it returns nothing, which runs
	 * once every lower call of the domain is complete. If func throws, retire does not run.
	 *
	 * Throws std::bad_alloc, and then nothing was scheduled.
	 */
	template <class F, class R> cookie_t schedule_ordered(F func, R retire)
	{
		return start(new call<F, R>(*this, std::move(func), std::move(retire)), true);
	}

	/** Schedules func() and returns its result, which get() waits for. The domain must outlive the result. */
	template <class F, class T = std::invoke_result_t<F &>> result<T> run(F func)
	{
		return result<T>(std::make_unique<typename result<T>::template state_of<F>>(std::move(func)), &domain_);
	}

	/** Waits for all calls. Throws the exception of the lowest that failed since the last wait. */
	void wait()
	{
		check(async_synchronize_full_domain(&domain_), "inorder::domain::wait()");
		std::exception_ptr thrown;
		{
			std::lock_guard<std::mutex> guard(lock_);
			thrown = std::exchange(thrown_, nullptr);
			failed_ = ASYNC_COOKIE_MAX;
		}
		if (thrown)
			std::rethrow_exception(thrown);
	}

	/** Waits for the calls with a smaller cookie. */
	void wait(cookie_t bound)
	{
		check(async_synchronize_cookie_domain(bound, &domain_), "inorder::domain::wait()");
	}

	/** Takes back the calls that have not begun: their functions do not run. Returns how many. */
	unsigned cancel() noexcept
	{
		return async_cancel_domain(&domain_, async_call::take_back);
	}

	/** For the calls of <inorder/async.h>. Data of calls that C code schedules must not meet cancel(). */
	async_domain *native() noexcept
	{
		return &domain_;
	}

      private:
	struct nothing {
	};
	template <class F, class R> struct call final : async_call {
		using value = std::invoke_result_t<F &>;
		static constexpr bool plain = std::is_same_v<R, nothing>, empty = std::is_void_v<value> || plain;
		domain &in;
		F func;
		R retire_func;
		bool ran = false;
		std::optional<std::conditional_t<empty, nothing, value>> made;

		call(domain &domain, F &&f, R &&r) : in(domain), func(std::move(f)), retire_func(std::move(r))
		{
		}
		void run(cookie_t cookie) noexcept override
		{
			try {
				if constexpr (empty)
					(void)func();
				else
					made.emplace(func());
				ran = true;
			} catch (...) {
				in.failed(cookie);
			}
		}
		void retire([[maybe_unused]] cookie_t cookie) noexcept override
		{
			if constexpr (!plain) {
				if (!ran)
					return;
				try {
					if constexpr (empty)
						retire_func();
					else
						retire_func(std::move(*made));
				} catch (...) {
					in.failed(cookie);
				}
			}
		}
	};

	void failed(cookie_t cookie) noexcept
	{
		std::lock_guard<std::mutex> guard(lock_);

		async_set_error(-ECANCELED);
		if (cookie < failed_) {
			failed_ = cookie;
			thrown_ = std::current_exception();
		}
	}

	cookie_t start(async_call *made, bool ordered)
	{
		cookie_t cookie;

		if (!ordered)
			return async_schedule_domain(async_call::run_only, made, &domain_);
		cookie = async_schedule_ordered(async_call::run_first, async_call::run_last, made, &domain_);
		if (!cookie) {
			delete made;
			throw std::bad_alloc();
		}
		return cookie;
	}

	async_domain domain_ = ASYNC_DOMAIN_EXCLUSIVE_INIT;
	std::mutex lock_;
	std::exception_ptr thrown_; /* of the call failed_, the lowest; both under lock_ */
	cookie_t failed_ = ASYNC_COOKIE_MAX;
};

/**
 * Calls func(index) for each index below count, up to window at once, and retire(index, value), or retire(index) if
 * func returns nothing, in the order of the indices: async_for_each_ordered(). The first exception, in that order, ends
 * the loop and is thrown again.
 */
template <class F, class R> void for_each_ordered(std::size_t count, F func, R retire, std::size_t window = 0)
{
	using value = std::invoke_result_t<F &, std::size_t>;
	struct nothing {
	};
	using stored = std::conditional_t<std::is_void_v<value>, nothing, value>;
	struct place {
		std::optional<stored> made;
		std::exception_ptr thrown;
	};
	struct shared {
		F &func;
		R &retire;
		std::unique_ptr<place[]> slots;
		std::size_t size;
		std::exception_ptr thrown;
	};
	if (!window || window > count)
		window = window ? count : std::min<std::size_t>(count, 64);
	if (!count)
		return;
	shared loop{func, retire, std::make_unique<place[]>(window), window, nullptr};

	int error = async_for_each_ordered(
		count,
		[](void *data, std::size_t index) noexcept -> int {
			auto &with = *static_cast<shared *>(data);
			auto &slot = with.slots[index % with.size];

			try {
				if constexpr (std::is_void_v<value>)
					with.func(index);
				else
					slot.made.emplace(with.func(index));
				return 0;
			} catch (...) {
				slot.thrown = std::current_exception();
				return -ECANCELED;
			}
		},
		[](void *data, std::size_t index, int failed) noexcept -> int {
			auto &with = *static_cast<shared *>(data);
			auto &slot = with.slots[index % with.size];

			if (failed) {
				with.thrown = std::move(slot.thrown);
				return failed;
			}
			try {
				if constexpr (std::is_void_v<value>)
					with.retire(index);
				else
					with.retire(index, std::move(*slot.made));
				slot.made.reset();
				return 0;
			} catch (...) {
				with.thrown = std::current_exception();
				return -ECANCELED;
			}
		},
		&loop, window);
	if (error == -EDEADLK)
		std::terminate(); /* items that are in progress would use what is gone: no item's wait leads here */
	if (loop.thrown)
		std::rethrow_exception(loop.thrown);
	check(error, "inorder::for_each_ordered()");
}

} // namespace inorder

#endif
