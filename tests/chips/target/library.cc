// The few functions of the C++ library that are not in its headers: Debian has no compiled one for these chips.
//
// What would throw ends the run. The tree behind std::map and std::set is here without balance: the vectors' maps are
// small, and it is the tests that use them, not the rooms.
#include <malloc.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_map>

#include "tests/chips/target/host.h"

using vesta::chips::Die;

namespace {
size_t heap_taken = 0;
}
size_t vesta::chips::HeapTaken() { return heap_taken; }

void* operator new(size_t size) {
  heap_taken += size;
  void* memory = std::malloc(size);
  if (memory == nullptr) Die("out of memory");
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
// The C library's memory is aligned for all but such types.
void* operator new[](size_t size, std::align_val_t alignment) {
  heap_taken += size;
  void* memory = memalign(static_cast<size_t>(alignment), size);
  if (memory == nullptr) Die("out of memory");
  return memory;
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

extern "C" {
void* __dso_handle = nullptr;
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }  // the run ends without destructors
int atexit(void (*)()) { return 0; }
[[noreturn]] void __cxa_pure_virtual() { Die("pure virtual function"); }
}

namespace std {

const nothrow_t nothrow{};

void __throw_bad_alloc() { Die("bad_alloc"); }
void __throw_bad_array_new_length() { Die("bad_array_new_length"); }
void __throw_bad_function_call() { Die("bad_function_call"); }
void __throw_bad_optional_access() { Die("bad_optional_access"); }
void __throw_logic_error(const char* why) { Die(why); }
void __throw_length_error(const char* why) { Die(why); }
void __throw_invalid_argument(const char* why) { Die(why); }
void __throw_out_of_range(const char* why) { Die(why); }
void __throw_out_of_range_fmt(const char* why, ...) { Die(why); }
void __glibcxx_assert_fail(const char*, int, const char*, const char* why) noexcept { Die(why); }

_Rb_tree_node_base* _Rb_tree_increment(_Rb_tree_node_base* x) noexcept {
  if (x->_M_right != nullptr) return _Rb_tree_node_base::_S_minimum(x->_M_right);
  _Rb_tree_node_base* parent = x->_M_parent;
  while (x == parent->_M_right) {
    x = parent;
    parent = parent->_M_parent;
  }
  // From the last node of a tree whose root has nothing on its right, x is the header itself.
  return x->_M_right == parent ? x : parent;
}

_Rb_tree_node_base* _Rb_tree_decrement(_Rb_tree_node_base* x) noexcept {
  // The header is red and the parent of its parent; no other node is both, as nodes here are black.
  if (x->_M_color == _S_red && x->_M_parent->_M_parent == x) return x->_M_right;
  if (x->_M_left != nullptr) return _Rb_tree_node_base::_S_maximum(x->_M_left);
  _Rb_tree_node_base* parent = x->_M_parent;
  while (x == parent->_M_left) {
    x = parent;
    parent = parent->_M_parent;
  }
  return parent;
}

const _Rb_tree_node_base* _Rb_tree_increment(const _Rb_tree_node_base* x) noexcept {
  return _Rb_tree_increment(const_cast<_Rb_tree_node_base*>(x));
}
const _Rb_tree_node_base* _Rb_tree_decrement(const _Rb_tree_node_base* x) noexcept {
  return _Rb_tree_decrement(const_cast<_Rb_tree_node_base*>(x));
}

void _Rb_tree_insert_and_rebalance(const bool left, _Rb_tree_node_base* x, _Rb_tree_node_base* parent,
                                   _Rb_tree_node_base& header) noexcept {
  x->_M_parent = parent;
  x->_M_left = nullptr;
  x->_M_right = nullptr;
  x->_M_color = _S_black;
  if (left) {
    parent->_M_left = x;  // the header's left is the first node
    if (parent == &header) {
      header._M_parent = x;
      header._M_right = x;
    } else if (parent == header._M_left) {
      header._M_left = x;
    }
  } else {
    parent->_M_right = x;
    if (parent == header._M_right) header._M_right = x;
  }
}

_Rb_tree_node_base* _Rb_tree_rebalance_for_erase(_Rb_tree_node_base* const x, _Rb_tree_node_base& header) noexcept {
  if (header._M_left == x) header._M_left = _Rb_tree_increment(x);
  if (header._M_right == x) header._M_right = _Rb_tree_decrement(x);
  const auto replace = [&header](_Rb_tree_node_base* old, _Rb_tree_node_base* by) {
    _Rb_tree_node_base* parent = old->_M_parent;
    if (parent == &header) {
      header._M_parent = by;
    } else if (parent->_M_left == old) {
      parent->_M_left = by;
    } else {
      parent->_M_right = by;
    }
    if (by != nullptr) by->_M_parent = parent;
  };
  if (x->_M_left == nullptr) {
    replace(x, x->_M_right);
  } else if (x->_M_right == nullptr) {
    replace(x, x->_M_left);
  } else {
    _Rb_tree_node_base* next = _Rb_tree_node_base::_S_minimum(x->_M_right);
    if (next != x->_M_right) {
      replace(next, next->_M_right);
      next->_M_right = x->_M_right;
      next->_M_right->_M_parent = next;
    }
    replace(x, next);
    next->_M_left = x->_M_left;
    next->_M_left->_M_parent = next;
  }
  return x;
}

// Buckets of hash tables: any number that grows does.
size_t __detail::_Prime_rehash_policy::_M_next_bkt(size_t wanted) const {
  size_t buckets = 13;
  while (buckets < wanted) buckets = 2 * buckets + 1;
  _M_next_resize = buckets;
  return buckets;
}

pair<bool, size_t> __detail::_Prime_rehash_policy::_M_need_rehash(size_t buckets, size_t elements, size_t more) const {
  if (elements + more <= _M_next_resize) return {false, 0};
  return {true, _M_next_bkt(elements + more > buckets ? elements + more : buckets + 1)};
}

// The JSON library makes one of these when it would throw it.
__cow_string::__cow_string() : _M_p(nullptr) {}
__cow_string::~__cow_string() {}
exception::~exception() noexcept {}
const char* exception::what() const noexcept { return ""; }
runtime_error::runtime_error(const char* why) { Die(why); }
runtime_error::~runtime_error() noexcept {}
const char* runtime_error::what() const noexcept { return ""; }

bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept { return false; }

}  // namespace std
