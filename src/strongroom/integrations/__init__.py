"""What strongroom offers to other libraries: filters for their migrations, and code that their users share."""
