/* SPDX-License-Identifier: MIT */
/*
 * Search trees by cookie, for what is found by one: waiters for a call, and calls on the stacks of threads that wait.
 *
 * A treap: in order by key from left to right, and no node has a larger weight than the one above it. Weights are as
 * good as random, so the depth is logarithmic whatever the order in which keys come. Nodes are part of what they
 * stand for; nothing is allocated. Equal keys stand side by side.
 */
#include "core.h"

/* Without a pattern, and a matter of the node and its key alone: so the tree's shape is a matter of its content. */
static uint32_t weight_of(const struct rob_node *node, async_cookie_t key)
{
	uint64_t mixed = (key ^ (uint64_t)(uintptr_t)node) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
	return (uint32_t)(mixed >> 32);
}

/* The pointer that leads to the node. */
static struct rob_node **link_of(struct rob_node **root, struct rob_node *node)
{
	struct rob_node *up = node->up;

	if (!up)
		return root;
	return up->left == node ? &up->left : &up->right;
}

/* The node changes places with the one above it; the order from left to right stays. */
static void rotate_up(struct rob_node **root, struct rob_node *node)
{
	struct rob_node *up = node->up, *moved;

	*link_of(root, up) = node;
	node->up = up->up;
	if (up->left == node) {
		moved = up->left = node->right;
		node->right = up;
	} else {
		moved = up->right = node->left;
		node->left = up;
	}
	up->up = node;
	if (moved)
		moved->up = up;
}

void rob_tree_insert(struct rob_node **root, struct rob_node *node, async_cookie_t key)
{
	struct rob_node **link = root, *up = NULL;

	while (*link) {
		up = *link;
		link = key < up->key ? &up->left : &up->right;
	}
	*node = (struct rob_node){.up = up, .key = key, .weight = weight_of(node, key)};
	*link = node;
	while (node->up && node->up->weight < node->weight)
		rotate_up(root, node);
}

/* It sinks until it has one child at most, which takes its place. */
void rob_tree_remove(struct rob_node **root, struct rob_node *node)
{
	struct rob_node *child;

	while (node->left && node->right)
		rotate_up(root, node->left->weight > node->right->weight ? node->left : node->right);
	child = node->left ? node->left : node->right;
	*link_of(root, node) = child;
	if (child)
		child->up = node->up;
}

/* The first of the nodes whose keys are not lower, or NULL. */
struct rob_node *rob_tree_find(struct rob_node *root, async_cookie_t key)
{
	struct rob_node *found = NULL;

	while (root) {
		if (root->key >= key)
			found = root;
		root = root->key >= key ? root->left : root->right;
	}
	return found;
}

struct rob_node *rob_tree_next(struct rob_node *node)
{
	if (node->right) {
		for (node = node->right; node->left; node = node->left)
			;
		return node;
	}
	while (node->up && node->up->right == node)
		node = node->up;
	return node->up;
}
