extern int inorder_nothing; int inorder_nothing;
